namespace EndToEnd.Tests.Documents;

/// <summary>What of a machine's programs a test needs.</summary>
internal static class Programs
{
    /// <summary>Skips the test where one is missing.</summary>
    public static void SkipUnlessThere(params string[] programs)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The blocks are for bash.");
        string[] missing = [.. programs.Where(program => !Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, program))))];
        Assert.SkipUnless(missing.Length == 0, $"Not here: {string.Join(", ", missing)}.");
    }
}
