namespace Ulmfit.Pipeline.Datasets;

/// <summary>One version of a data set: exactly what a run trains on and is measured on. Immutable.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Version">Which version, from 1.</param>
/// <param name="Digest">SHA-256 over the rows of the three parts; equal rows give an equal digest, whatever drops they came in.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Drops">The drops that gave rows.</param>
/// <param name="Classes">The classes with their rows, in ordinal order of the labels.</param>
/// <param name="Train">Rows to train on.</param>
/// <param name="HeldOut">Rows to measure on.</param>
/// <param name="Unlabeled">Unlabelled texts.</param>
public sealed record DatasetVersion(
    string Dataset,
    int Version,
    string Digest,
    DateTimeOffset CreatedAt,
    IReadOnlyList<DropReference> Drops,
    IReadOnlyList<ClassCount> Classes,
    RowsReference Train,
    RowsReference HeldOut,
    RowsReference Unlabeled);

/// <summary>A drop that gave rows to a version.</summary>
/// <param name="Name">Its name, with the container for unlabelled text.</param>
/// <param name="Sha256">The digest of its content.</param>
public sealed record DropReference(string Name, string Sha256);

/// <summary>A class and its rows.</summary>
/// <param name="Label">The class.</param>
/// <param name="Train">Rows to train on.</param>
/// <param name="HeldOut">Rows to measure on.</param>
public sealed record ClassCount(string Label, int Train, int HeldOut);

/// <summary>Rows in a content-addressed payload.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Sha256">The digest of the payload.</param>
public sealed record RowsReference(int Rows, string Sha256);
