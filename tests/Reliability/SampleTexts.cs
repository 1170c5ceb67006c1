using System.Globalization;

namespace Ulmfit.Reliability;

/// <summary>Texts of two classes that a few steps can tell apart, the same for the same arguments.</summary>
internal static class SampleTexts
{
    private static readonly string[] Good = ["lovely", "great", "fine", "happy", "thanks"];
    private static readonly string[] Bad = ["broken", "late", "awful", "angry", "refund"];
    private static readonly string[] Things = ["parcel", "order", "invoice", "driver", "website", "shoe", "lamp"];

    /// <summary>Labelled rows as a CSV file, half of each class.</summary>
    public static string Csv(int rows, ulong seed)
    {
        var random = new SplitMix(seed);
        return "text,label\n" + string.Concat(Enumerable.Range(0, rows).Select(i => $"{Text(random, i % 2 == 0, i)},{(i % 2 == 0 ? "praise" : "complaint")}\n"));
    }

    /// <summary>Texts to classify: of both classes, and some that are like none of the training.</summary>
    public static IReadOnlyList<string> Questions(int count, ulong seed)
    {
        var random = new SplitMix(seed);
        return
        [
            "", " ", "?!", "THANKS, GREAT", "žluťoučký kůň 😀", "<b>late</b> &amp; awful", string.Join(' ', Enumerable.Range(0, 60).Select(i => Text(random, i % 3 == 0, i))),
            .. Enumerable.Range(0, count).Select(i => Text(random, i % 2 == 0, i)),
        ];
    }

    private static string Text(SplitMix random, bool good, int number)
    {
        string[] words = good ? Good : Bad;
        string Word() => words[random.Next(words.Length)];
        return string.Create(CultureInfo.InvariantCulture, $"the {Things[random.Next(Things.Length)]} was {Word()} and {Word()} number {random.Next(1000)} {number} so {Word()}");
    }
}
