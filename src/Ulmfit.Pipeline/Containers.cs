namespace Ulmfit.Pipeline;

/// <summary>The storage containers.</summary>
public static class Containers
{
    /// <summary>Labelled drops, <c>{dataset}/{file}</c>; never modified.</summary>
    public const string Labeled = "labeled";

    /// <summary>Unlabelled text, <c>{dataset}/{file}</c>, that joins the fine-tuning of the language model.</summary>
    public const string Unlabeled = "unlabeled";

    /// <summary>Pretrained language models, <c>{name}/</c>.</summary>
    public const string Pretrained = "pretrained";

    /// <summary>Manifests of data sets, runs and steps, and the payloads they name by digest.</summary>
    public const string State = "state";

    /// <summary>Published models, <c>{model}/{version}/</c>, and <c>{model}/champion.json</c>.</summary>
    public const string Models = "models";
}
