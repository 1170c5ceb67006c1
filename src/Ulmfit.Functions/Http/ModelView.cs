using System.Globalization;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>A model as the API tells it.</summary>
/// <param name="Model">The model.</param>
/// <param name="Champion">The version that answers; null when none does.</param>
/// <param name="Versions">Its versions, oldest first.</param>
/// <param name="Promotions">What was promoted when, newest first.</param>
/// <param name="Damaged">Versions that cannot be used, and what to do about it.</param>
/// <param name="Drift">What the champion was asked today; null where nothing was, and where models are listed.</param>
internal sealed record ModelView(
    string Model, int? Champion, IReadOnlyList<ModelVersionView> Versions, IReadOnlyList<Promotion> Promotions, IReadOnlyList<DamagedVersion> Damaged, DriftDay? Drift)
{
    public static ModelView Of(string model, BlobDocument<ChampionPointer>? champion, ModelVersions versions, DriftDay? drift = null) => new(
        model,
        champion?.Value.Version,
        [
            .. versions.Cards.Select(card => new ModelVersionView(
                card.Version, card.CreatedAt, card.Run, card.DatasetVersion, card.Metrics.Accuracy, card.Metrics.MacroF1, card.WeightsDigest,
                card.Files[ModelFiles.Model],
                card.Files.ContainsKey(ModelFiles.ReportPage) ? string.Create(CultureInfo.InvariantCulture, $"/api/models/{model}/versions/{card.Version}/report") : null)),
        ],
        champion?.Value.History ?? [],
        versions.Damaged,
        drift);
}

/// <summary>A version as a model's list tells it.</summary>
internal sealed record ModelVersionView(
    int Version, DateTimeOffset CreatedAt, string Run, int DatasetVersion, double Accuracy, double MacroF1, string WeightsDigest, string ModelDigest, string? Report);
