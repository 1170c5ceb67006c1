using System.Text.RegularExpressions;
using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>The image of the function app.</summary>
public sealed partial class DockerfileTests
{
    private const string Path = "src/Ulmfit.Functions/Dockerfile";

    private static readonly string Text = Continuation().Replace(Repository.Read(Path), " ");

    [Fact]
    public void Copy_EachSource_IsThereAndSent()
    {
        string[] sent = [.. Repository.Read(Path + ".dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..].Trim())];
        string[] sources = [.. Copy().Matches(Text).SelectMany(copy => copy.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1])];
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.True(Repository.Has(source), $"{source} is not there."));
        Assert.Equal(sources.Order(), sent.Order());
        Assert.Contains("*", Repository.Read(Path + ".dockerignore").Split('\n'));
    }

    [Fact]
    public void Copy_WhatTheBuildReads_IsAmongTheSources()
    {
        // The build's own files at the top, and every folder that a project of src refers to.
        string[] wanted = [.. Directory.EnumerateFiles(Repository.Root).Select(file => System.IO.Path.GetFileName(file)!)
            .Where(name => name.StartsWith("Directory.", StringComparison.Ordinal) || name is "global.json" or "host.json" or "package.json" or "package-lock.json" or ".editorconfig")];
        Assert.All(wanted.Concat(["eng", "src"]), name => Assert.Contains(name, Copy().Matches(Text).SelectMany(copy => copy.Groups[1].Value.Split(' '))));
    }

    [Fact]
    public void Stages_ThatAreCopiedFrom_AreDeclared()
    {
        string[] stages = [.. Stage().Matches(Text).Select(stage => stage.Groups[1].Value)];
        Assert.All(CopyFrom().Matches(Text).Select(copy => copy.Groups[1].Value), stage => Assert.Contains(stage, stages));
    }

    [Fact]
    public void Arguments_ThatAzdGives_AreDeclaredAndUsed()
    {
        string yaml = Repository.Read("azure.yaml");
        Match[] arguments = [.. BuildArgument().Matches(yaml).Select(argument => argument)];
        Assert.Equal(2, arguments.Length);
        foreach (Match argument in arguments)
        {
            string name = argument.Groups[1].Value;
            Assert.Matches($"(?m)^ARG {name}$", Text);
            Assert.Matches($@"\$\{{{name}:-\w+\}}", Text);
            if (argument.Groups[2].Value is ['$', '{', .. var output, '}'])
            {
                Assert.NotNull(Templates.Main.Find(DeclarationKind.Output, output));
            }
        }
    }

    [Fact]
    public void Properties_ThatImageAndPackageAreBuiltWith_AreThoseOfTheBuild()
    {
        string build = string.Concat(Repository.Files("eng", "*.props").Select(Repository.Read));
        string[] given = [.. new[] { Path, "infra/hooks/package-api.sh" }.SelectMany(path => GivenProperty().Matches(Repository.Read(path))).Select(property => property.Groups[1].Value).Distinct()];
        Assert.Contains("AzurePackages", given);
        Assert.All(given, property => Assert.Contains($"<{property} Condition=", build, StringComparison.Ordinal));
    }

    [Fact]
    public void Image_RunsWithoutPrivilegesWhereTheIngressLooksForIt()
    {
        string port = $"{((Number)BicepParser.Parse("trainer", Templates.Sources["infra/app/trainer.bicep"]).Find(DeclarationKind.Variable, "port")!.Value!).Value}";
        Assert.Matches(@"(?m)^USER [1-9]\d*$", Text);
        Assert.Matches($@"(?m)^EXPOSE {port}$", Text);
        Assert.Contains($"ASPNETCORE_URLS=http://+:{port}", Text, StringComparison.Ordinal);
        Assert.True(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) > 1024);
    }

    [GeneratedRegex(@"\\\r?\n\s*")]
    private static partial Regex Continuation();

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"^COPY --from=(\w+)", RegexOptions.Multiline)]
    private static partial Regex CopyFrom();

    [GeneratedRegex(@"^FROM \S+ AS (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Stage();

    [GeneratedRegex(@"^        - (\w+)=(\S+)$", RegexOptions.Multiline)]
    private static partial Regex BuildArgument();

    [GeneratedRegex(@"-p:(\w+)=")]
    private static partial Regex GivenProperty();
}
