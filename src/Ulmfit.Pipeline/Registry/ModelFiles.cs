namespace Ulmfit.Pipeline.Registry;

/// <summary>Names in the container <see cref="Containers.Models"/>.</summary>
public static class ModelFiles
{
    /// <summary>The model in float32: what training starts at, and what answers unless the card says otherwise.</summary>
    public const string Model = "model.onnx";

    /// <summary>The same model with its encoder in int8.</summary>
    public const string Int8Model = "model.int8.onnx";

    public const string Labels = "labels.json";
    public const string Vocabulary = "vocabulary.json";
    public const string Card = "card.json";
    public const string Report = "report.json";
    public const string ReportPage = "report.html";
    public const string Champion = "champion.json";

    public static string PathOf(string model, int version, string file) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{model}/{version}/{file}");

    public static string ChampionOf(string model) => $"{model}/{Champion}";
}
