namespace EndToEnd.Tests.Documents;

/// <summary>The blocks marked <c>bash run-long</c>, each by itself, where the variable <see cref="Variable"/> is 1.</summary>
public sealed class LongBlocksTests
{
    /// <summary>Asks for these tests.</summary>
    public const string Variable = "ULMFIT_LONG_BLOCKS";

    public static TheoryData<string, int> Blocks
    {
        get
        {
            var blocks = new TheoryData<string, int>();
            foreach (string path in MarkdownDocument.Paths)
            {
                foreach (CodeBlock block in Of(path))
                {
                    blocks.Add(path, block.Line);
                }
            }

            return blocks;
        }
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public async Task Block_ThatTakesLong_Runs(string path, int line)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable(Variable) == "1", $"It takes long: set {Variable}=1 to run it.");
        Programs.SkipUnlessThere("bash", "curl", "jq", "python3");
        string commands = Of(path).Single(block => block.Line == line).Content;
        using var shell = new DocumentShell(host: null);
        if (commands.Contains("awd_lstm_step.py", StringComparison.Ordinal))
        {
            Assert.SkipUnless((await shell.TryAsync("PyTorch", "python3 -c 'import torch'")).Code == 0, "There is no PyTorch.");
        }

        if (commands.Contains("mount ", StringComparison.Ordinal))
        {
            Assert.SkipUnless((await shell.TryAsync("a mount", "mount -t tmpfs tmpfs \"$(mktemp -d)\"")).Code == 0, "Nothing can be mounted.");
        }

        (int code, string output, string error) = await shell.TryAsync($"{path}({line})", commands);

        // The packages of the Azure flavour are not to be had everywhere, and what it has in place of them cannot be built then.
        Assert.SkipWhen(code != 0 && commands.Contains("AzurePackages=true", StringComparison.Ordinal) && output.Contains("error NU110", StringComparison.Ordinal), "A package of the Azure flavour cannot be restored.");
        Assert.True(code == 0, $"{path}({line}):\n{output}\n{error}");
    }

    private static IEnumerable<CodeBlock> Of(string path) => new MarkdownDocument(path).Blocks().Where(block => block.Info == DocumentShell.LongMark);
}
