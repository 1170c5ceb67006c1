namespace Ulmfit.Pipeline.Tests;

public sealed class ResourceNamesTests
{
    [Theory]
    [InlineData("tickets", true)]
    [InlineData("0", true)]
    [InlineData("a-b-9", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("-a", false)]
    [InlineData("Tickets", false)]
    [InlineData("a_b", false)]
    [InlineData("a/b", false)]
    [InlineData("..", false)]
    [InlineData("a\n", false)]
    [InlineData("con", false)]
    [InlineData("com1", false)]
    [InlineData("con-1", true)]
    public void IsDataset_ByTheRule(string? name, bool expected) => Assert.Equal(expected, ResourceNames.IsDataset(name));

    [Fact]
    public void IsDataset_LongestAndOneMore()
    {
        Assert.True(ResourceNames.IsDataset(new string('a', 63)));
        Assert.False(ResourceNames.IsDataset(new string('a', 64)));
    }

    [Theory]
    [InlineData("a.csv", true)]
    [InlineData("A_b-1.2.TSV", true)]
    [InlineData("a.jsonl.gz", true)]
    [InlineData("a.csv.gz", true)]
    [InlineData("a.txt", false)]
    [InlineData("a.gz", false)]
    [InlineData(".csv", false)]
    [InlineData("a", false)]
    [InlineData("a/b.csv", false)]
    [InlineData("..\\a.csv", false)]
    [InlineData("a b.csv", false)]
    [InlineData("a.csv\n", false)]
    [InlineData("NUL.csv", false)]
    [InlineData("lpt1.x.tsv.gz", false)]
    [InlineData("console.csv", true)]
    public void IsDrop_ByTheRule(string name, bool expected) => Assert.Equal(expected, ResourceNames.IsDrop(name));
}
