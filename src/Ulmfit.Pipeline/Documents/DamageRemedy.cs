namespace Ulmfit.Pipeline.Documents;

/// <summary>What a person can do about a damaged blob. It follows from what the blob is for, which its name tells.</summary>
internal static class DamageRemedy
{
    /// <summary>The remedy, in words.</summary>
    /// <param name="blob">Container and name.</param>
    public static string Of(string blob)
    {
        string[] parts = blob.Split('/');
        return parts switch
        {
            [Containers.Models, var model, "champion.json"] =>
                $"Restore it from a copy, or choose the version that is to answer: PUT /api/models/{model}/champion replaces it.",
            [Containers.Models, var model, var version, ..] =>
                $"Restore it from a copy, or promote another version by PUT /api/models/{model}/champion; version {version} does not answer as long as it is damaged.",
            [Containers.State, "datasets", var dataset, "settings.json"] =>
                $"Put the settings again: PUT /api/datasets/{dataset}/settings.",
            [Containers.State, "datasets", var dataset, "versions", ..] =>
                $"Restore it from a copy. Without one, POST /api/datasets/{dataset}/runs makes a new version of the data out of its drops; then delete the damaged one.",
            [Containers.State, "runs", var dataset, ..] =>
                $"Restore it from a copy, or delete it: the run is forgotten then, its number is not used again, and POST /api/datasets/{dataset}/runs trains again.",
            [Containers.State, "sha256", "_pretraining", var name, ..] =>
                $"Restore it from a copy, or delete {Containers.State}/pretraining-steps/{name}/ and what is named so beside it and PUT /api/pretrained/{name} again: it begins anew.",
            [Containers.State, "sha256", var dataset, ..] =>
                $"Restore it from a copy, or start a run again (POST /api/datasets/{dataset}/runs): it is made anew out of the drops.",
            _ => "Restore it from a copy, or delete it and start the run again.",
        };
    }
}
