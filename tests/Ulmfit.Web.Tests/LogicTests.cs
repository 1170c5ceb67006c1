namespace Ulmfit.Web.Tests;

/// <summary>The parts of the page that need no browser: their tests are beside this file, in the page's own language.</summary>
public sealed class LogicTests
{
    [Fact]
    public Task Logic_OfThePage_HoldsItsTests() => NodeScript.RunAsync(Path.Combine("Logic", "run.mjs"));
}
