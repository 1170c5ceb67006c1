namespace KillMatrix.Driver;

/// <summary>What a run of the matrix has come to, in the terms in which it is compared with an undisturbed one.</summary>
/// <param name="Runs">Id, status and digest of the weights of each run.</param>
/// <param name="Model">Champion and versions, each with the run that made it and the digest of its files, and the promotions.</param>
/// <param name="Drops">Name, status and accepted rows of each drop.</param>
/// <param name="Files">All files of the data directory, digests in their names left out, with how many there are of each name.</param>
/// <param name="Unreferenced">Payloads in <c>state/</c> that no manifest names.</param>
/// <param name="Temporary">What is left in the temporary folder.</param>
internal sealed record Outcome(
    IReadOnlyList<string> Runs,
    IReadOnlyList<string> Model,
    IReadOnlyList<string> Drops,
    IReadOnlyList<string> Files,
    IReadOnlyList<string> Unreferenced,
    IReadOnlyList<string> Temporary)
{
    /// <summary>What differs from the undisturbed outcome.</summary>
    public IEnumerable<(FindingKind Kind, string Text)> Differences(Outcome undisturbed)
    {
        IEnumerable<(FindingKind, string)> Compare(FindingKind kind, IReadOnlyList<string> expected, IReadOnlyList<string> found) =>
            expected.SequenceEqual(found, StringComparer.Ordinal)
                ? []
                : [(kind, $"expected [{string.Join("; ", expected.Except(found))}], found [{string.Join("; ", found.Except(expected))}]")];
        return Compare(FindingKind.Digest, undisturbed.Runs, Runs)
            .Concat(Compare(FindingKind.Versions, undisturbed.Model, Model))
            .Concat(Compare(FindingKind.LostDrop, undisturbed.Drops, Drops))
            .Concat(Compare(FindingKind.Orphan, undisturbed.Files, Files))
            .Concat(Unreferenced.Select(name => (FindingKind.Orphan, $"no manifest names {name}")))
            .Concat(Temporary.Select(name => (FindingKind.Orphan, $"left in the temporary folder: {name}")));
    }
}
