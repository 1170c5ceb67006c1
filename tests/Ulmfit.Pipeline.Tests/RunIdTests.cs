using Ulmfit.Pipeline.Runs;

namespace Ulmfit.Pipeline.Tests;

public sealed class RunIdTests
{
    [Theory]
    [InlineData("tickets-1", "tickets", 1)]
    [InlineData("a-1-2", "a-1", 2)]
    [InlineData("a--7", "a-", 7)]
    public void TryParse_RunId_GivesDatasetAndNumber(string text, string dataset, int number)
    {
        Assert.True(RunId.TryParse(text, out RunId id));
        Assert.Equal(new RunId(dataset, number), id);
        Assert.Equal(text, id.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("tickets")]
    [InlineData("tickets-")]
    [InlineData("tickets-0")]
    [InlineData("tickets-01")]
    [InlineData("tickets--1 ")]
    [InlineData("-1")]
    [InlineData("Tickets-1")]
    [InlineData("../x-1")]
    [InlineData("tickets-99999999999")]
    [InlineData("tickets-\u0661")]
    public void TryParse_AnythingElse_IsRefused(string? text) => Assert.False(RunId.TryParse(text, out _));

    // .NET reads "1\0" as the number 1.
    [Fact]
    public void TryParse_NulBehindTheNumber_IsRefused() => Assert.False(RunId.TryParse("tickets-1\0", out _));
}
