using System.Text;
using Ulmfit.Cli.Tests;

namespace EndToEnd.Tests.Documents;

/// <summary>A fenced block.</summary>
/// <param name="Line">Its first line in the document, from 1.</param>
/// <param name="Info">What stands behind the fence.</param>
/// <param name="Content">Its lines, without the indentation of the fence.</param>
internal sealed record CodeBlock(int Line, string Info, string Content);

/// <summary>A document of the repository.</summary>
/// <param name="path">Its path from the root.</param>
internal sealed class MarkdownDocument(string path)
{
    /// <summary>Every document that people read: the README and those in <c>docs</c>.</summary>
    public static IReadOnlyList<string> Paths { get; } =
        ["README.md", .. Directory.GetFiles(System.IO.Path.Combine(Repository.Root, "docs"), "*.md").Select(file => "docs/" + System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public string Path { get; } = path;

    public string Text { get; } = File.ReadAllText(System.IO.Path.Combine(Repository.Root, path));

    /// <summary>Its fenced blocks.</summary>
    public IReadOnlyList<CodeBlock> Blocks()
    {
        var blocks = new List<CodeBlock>();
        string[] lines = Text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string fence = lines[i].TrimStart();
            if (!fence.StartsWith("```", StringComparison.Ordinal))
            {
                continue;
            }

            int indent = lines[i].Length - fence.Length, begin = i + 1;
            var content = new StringBuilder();
            for (i++; i < lines.Length && lines[i].Trim() != "```"; i++)
            {
                content.Append(lines[i].Length >= indent ? lines[i][indent..] : lines[i].TrimStart()).Append('\n');
            }

            Assert.True(i < lines.Length, $"{Path}({begin}): the block has no end.");
            blocks.Add(new CodeBlock(begin, fence[3..].Trim(), content.ToString()));
        }

        return blocks;
    }

    /// <summary>The text outside its blocks.</summary>
    public string Prose()
    {
        var prose = new StringBuilder();
        bool inside = false;
        foreach (string line in Text.Split('\n'))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                inside = !inside;
            }
            else if (!inside)
            {
                prose.Append(line).Append('\n');
            }
        }

        return prose.ToString();
    }
}
