using System.Globalization;

namespace EndToEnd.Tests.Support;

/// <summary>Texts of two classes that a few steps can tell apart, and settings under which a run takes seconds.</summary>
internal static class Samples
{
    public const string Brief = """
        {"pretrained": "none", "directions": "forward", "strategy": "full", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 20}, "classifier": {"epochs": 3, "batch": 16}}
        """;

    /// <summary>So many epochs that nobody sees the end.</summary>
    public const string Endless = """
        {"pretrained": "none", "directions": "forward", "strategy": "full", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 1000, "bptt": 20}}
        """;

    private static readonly string[] Good = ["lovely", "great", "fine", "happy", "thanks"];
    private static readonly string[] Bad = ["broken", "late", "awful", "angry", "refund"];

    public static string Csv(int rows, int seed = 0)
    {
        var random = new Random(seed);
        string Row(int i)
        {
            string[] words = i % 2 == 0 ? Good : Bad;
            return string.Create(CultureInfo.InvariantCulture, $"the parcel was {words[random.Next(5)]} and {words[random.Next(5)]} number {seed} {i} so {words[random.Next(5)]},{(i % 2 == 0 ? "praise" : "complaint")}");
        }

        return "text,label\n" + string.Join('\n', Enumerable.Range(0, rows).Select(Row)) + "\n";
    }
}
