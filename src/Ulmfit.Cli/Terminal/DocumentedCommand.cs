using System.CommandLine;

namespace Ulmfit.Cli.Terminal;

/// <summary>A command whose help shows how it is used.</summary>
/// <param name="name">Its name.</param>
/// <param name="summary">What it does, in a sentence.</param>
/// <param name="details">What else there is to know; empty for nothing.</param>
/// <param name="examples">Commands that work as they stand, given the files that they name.</param>
internal sealed class DocumentedCommand(string name, string summary, string details, params IReadOnlyList<string> examples) : Command(name, summary)
{
    /// <summary>What else there is to know; empty for nothing.</summary>
    public string Details => details;

    /// <summary>Commands that work as they stand, given the files that they name.</summary>
    public IReadOnlyList<string> Examples => examples;
}
