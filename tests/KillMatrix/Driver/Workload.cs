using System.Globalization;
using Ulmfit.Model;
using Ulmfit.Text;

namespace KillMatrix.Driver;

/// <summary>What is trained on: a few hundred made sentences, so that a run takes about a second.</summary>
/// <param name="Late">Whether a second drop comes in while the first is trained on.</param>
internal sealed record Workload(bool Late)
{
    /// <summary>The data set.</summary>
    public const string Dataset = "tickets";

    /// <summary>Training settings: both directions, several stages, from a language model so small that training takes no time.</summary>
    public const string Settings = """
        {"pretrained": "small-talk", "directions": "both", "strategy": "full", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 1, "bptt": 20}, "classifier": {"epochs": 3, "batch": 8, "learningRate": 0.02}}
        """;

    private static readonly string[] Good = ["lovely", "great", "fine", "happy", "thanks"];
    private static readonly string[] Bad = ["broken", "late", "awful", "angry", "refund"];
    private static readonly string[] Things = ["parcel", "order", "invoice", "driver", "website", "shoe", "lamp"];

    /// <summary>How many runs it takes.</summary>
    public int Runs => Late ? 2 : 1;

    /// <summary>The drops in the order in which they come in.</summary>
    public IReadOnlyList<(string Name, string Content)> Drops => Late ? [("a.csv", Csv(200, 1)), ("b.csv", Csv(60, 2))] : [("a.csv", Csv(200, 1))];

    /// <summary>What is there from the start: unlabelled text, and the language model, whose weights are made.</summary>
    public static void Prepare(string data)
    {
        string unlabeled = Path.Combine(data, "unlabeled", Dataset), model = Path.Combine(data, "pretrained", "small-talk");
        Directory.CreateDirectory(unlabeled);
        Directory.CreateDirectory(model);
        File.WriteAllText(Path.Combine(unlabeled, "u.txt"), string.Concat(Rows(20, 3).Select(row => row.Text + "\n")));
        Vocabulary vocabulary = Vocabulary.Build(Enumerable.Repeat<string[]>([.. Good, .. Bad, .. Things, "the", "was", "and", "so", "number"], 3));
        File.WriteAllBytes(Path.Combine(model, "vocabulary.json"), vocabulary.ToJson());
        foreach (string direction in (string[])["forward", "backward"])
        {
            using FileStream weights = File.Create(Path.Combine(model, direction + ".safetensors"));
            Safetensors.Write(weights, WeightInitialization.LanguageModel(new AwdLstmConfig(vocabulary.Count, 24, 40, 2), 7));
        }
    }

    private static string Csv(int count, int seed) => "text,label\n" + string.Concat(Rows(count, seed).Select(row => $"{row.Text},{row.Label}\n"));

    private static IEnumerable<(string Text, string Label)> Rows(int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            string[] words = i % 2 == 0 ? Good : Bad;
            string Word() => words[random.Next(words.Length)];
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"the {Things[random.Next(Things.Length)]} was {Word()} and {Word()} number {seed} {i} so {Word()}"),
                i % 2 == 0 ? "praise" : "complaint");
        }
    }
}
