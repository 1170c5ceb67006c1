using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Runs;

/// <summary>A run at one moment, with what tells that moment from others.</summary>
public sealed record RunState
{
    // Far more notes than a run writes between two changes of its manifest: one a second and direction.
    private const long NotesPerRevision = 1_000_000_000;

    internal RunState(BlobDocument<RunManifest> manifest, IReadOnlyList<BlobDocument<RunProgress>> notes)
    {
        Manifest = manifest;
        Notes = notes;
    }

    /// <summary>The run.</summary>
    public RunManifest Run => Manifest.Value;

    /// <summary>Where its directions are; empty for one that has ended or not begun.</summary>
    public IReadOnlyList<RunProgress> Progress => [.. Notes.Select(note => note.Value)];

    /// <summary>
    /// Grows with every change of the run, whichever process made it, and whatever its clock says: the manifest counts its changes, and each
    /// direction its notes in between.
    /// </summary>
    public long Revision => (Run.Revision * NotesPerRevision) + Notes.Sum(note => (long)note.Value.Number);

    internal BlobDocument<RunManifest> Manifest { get; }

    internal IReadOnlyList<BlobDocument<RunProgress>> Notes { get; }
}
