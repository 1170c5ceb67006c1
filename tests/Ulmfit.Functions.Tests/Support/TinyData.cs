using System.Globalization;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>Texts of two classes that a few steps can tell apart.</summary>
internal static class TinyData
{
    private static readonly string[] Good = ["lovely", "great", "fine", "happy", "thanks"];
    private static readonly string[] Bad = ["broken", "late", "awful", "angry", "refund"];
    private static readonly string[] Things = ["parcel", "order", "invoice", "driver", "website", "shoe", "lamp"];

    /// <summary>Rows, half of each class; the same for the same arguments.</summary>
    public static IEnumerable<(string Text, string Label)> Rows(int count, int seed = 0)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            bool good = i % 2 == 0;
            string[] words = good ? Good : Bad;
            string Word() => words[random.Next(words.Length)];
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"the {Things[random.Next(Things.Length)]} was {Word()} and {Word()} number {seed} {i} so {Word()}"),
                good ? "praise" : "complaint");
        }
    }

    /// <summary>The rows as a CSV file.</summary>
    public static string Csv(int count, int seed = 0) => "text,label\n" + string.Concat(Rows(count, seed).Select(row => $"{row.Text},{row.Label}\n"));
}
