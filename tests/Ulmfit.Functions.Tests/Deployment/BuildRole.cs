using System.Diagnostics;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>The function app as it is built for one of its deployments: the files are those that MSBuild compiles then.</summary>
internal sealed class BuildRole
{
    private BuildRole(CSharpCompilation compilation)
    {
        Compilation = compilation;
        Functions =
        [
            .. compilation.SyntaxTrees
                .SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>())
                .Select(method => (IMethodSymbol)compilation.GetSemanticModel(method.SyntaxTree).GetDeclaredSymbol(method)!)
                .Select(method => (Method: method, Name: NameOf(method)))
                .Where(function => function.Name is not null)
                .Select(function => new Function(function.Name!, TriggerOf(function.Method))),
        ];
    }

    public CSharpCompilation Compilation { get; }

    /// <summary>The functions, each as often as it is declared.</summary>
    public IReadOnlyList<Function> Functions { get; }

    /// <summary>Asks the build for the files of a role.</summary>
    public static async Task<BuildRole> OfAsync(string role, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet", ["msbuild", Repository.File("src", "Ulmfit.Functions", "Ulmfit.Functions.csproj"), "-nologo", "-getItem:Compile", $"-p:FunctionsRole={role}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(ct);
        string output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        Assert.True(process.ExitCode == 0, $"{output}\n{await error}");
        using JsonDocument json = JsonDocument.Parse(output);
        string[] files = [.. json.RootElement.GetProperty("Items").GetProperty("Compile").EnumerateArray().Select(item => item.GetProperty("FullPath").GetString()!)];
        Assert.NotEmpty(files);
        return new BuildRole(SourceCompilation.OfFiles(files, "Ulmfit.Functions"));
    }

    private static string? NameOf(IMethodSymbol method) =>
        (string?)method.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.Name == "FunctionAttribute")?.ConstructorArguments[0].Value;

    private static string TriggerOf(IMethodSymbol method) => method.Parameters
        .SelectMany(parameter => parameter.GetAttributes())
        .Select(attribute => attribute.AttributeClass!.Name)
        .Single(name => name.EndsWith("TriggerAttribute", StringComparison.Ordinal));

    /// <summary>A function of it.</summary>
    internal sealed record Function(string Name, string Trigger);
}
