using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>Sources compiled in memory against the assemblies that the tests run with.</summary>
internal static class SourceCompilation
{
    // Methods whose bodies a generator writes (LoggerMessage, GeneratedRegex), which does not run here.
    private static readonly string[] NoBodyGenerated = ["CS8795", "CS0762"];

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly (string Name, MetadataReference Assembly)[] Platform =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => (Path.GetFileNameWithoutExtension(path), (MetadataReference)MetadataReference.CreateFromFile(path))),
    ];

    /// <summary>Compiles files of the product.</summary>
    /// <param name="files">The files.</param>
    /// <param name="insteadOf">The names of the assemblies that these sources take the place of.</param>
    public static CSharpCompilation OfFiles(IEnumerable<string> files, params string[] insteadOf) =>
        Of(files.Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), Options, file)), insteadOf);

    /// <summary>Compiles a text.</summary>
    public static CSharpCompilation OfText(string text) => Of([CSharpSyntaxTree.ParseText(text, Options, "Given.cs")], ["Ulmfit.Functions"]);

    /// <summary>What keeps it from compiling.</summary>
    public static IReadOnlyList<string> Errors(this CSharpCompilation compilation) =>
        [.. compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error && !NoBodyGenerated.Contains(d.Id)).Select(d => d.ToString())];

    private static CSharpParseOptions Options { get; } = new(LanguageVersion.Preview);

    private static CSharpCompilation Of(IEnumerable<SyntaxTree> sources, string[] insteadOf)
    {
        SyntaxTree[] trees = [.. sources, CSharpSyntaxTree.ParseText(ImplicitUsings, Options)];
        bool isProgram = trees.Any(tree => tree.GetRoot().ChildNodes().Any(node => node is GlobalStatementSyntax));
        return CSharpCompilation.Create(
            "Ulmfit.Functions",
            trees,
            Platform.Where(known => !insteadOf.Contains(known.Name)).Select(known => known.Assembly),
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }
}
