using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Web.Tests;

/// <summary>A headless Chromium that goes through a scenario of <c>Browser/scenarios.mjs</c>.</summary>
internal static class Browser
{
    private const string Variable = "CHROMIUM";

    private static readonly string[] Usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable", "/usr/bin/google-chrome"];

    private static string? Executable { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : Usual.FirstOrDefault(File.Exists);

    /// <summary>Skips the test where there is no browser.</summary>
    public static void Require() =>
        Assert.SkipUnless(Executable is not null, $"There is no Chromium: install it (Debian: apt-get install chromium), or name one in the variable {Variable}.");

    /// <summary>Goes through a scenario. Errors on the browser's console fail it too.</summary>
    public static Task PlayAsync(string scenario, HostProcess host, params string[] arguments) =>
        NodeScript.RunAsync(Path.Combine("Browser", "play.mjs"), [scenario, Executable!, host.Http.BaseAddress!.ToString().TrimEnd('/'), .. arguments]);
}
