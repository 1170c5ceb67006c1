using System.Text.Json;

namespace Ulmfit.Reliability.Load;

/// <summary>What each version answers to each text, as it is printed, asked one by one before anything else goes on.</summary>
internal sealed class KnownAnswers
{
    private readonly Dictionary<(int Version, int Text), string> answers = [];

    private KnownAnswers(IReadOnlyList<string> texts) => Texts = texts;

    /// <summary>The texts.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>Asks.</summary>
    public static async Task<KnownAnswers> AskAsync(HostUnderTest host, string model, IReadOnlyList<int> versions, IReadOnlyList<string> texts, CancellationToken ct)
    {
        var known = new KnownAnswers(texts);
        foreach (int version in versions)
        {
            for (int i = 0; i < texts.Count; i++)
            {
                JsonElement answer = await host.PostAsync($"api/models/{model}/classify", new { inputs = texts[i], parameters = new { version } }, ct);
                known.answers[(version, i)] = answer.GetProperty("predictions")[0].GetRawText();
            }
        }
        int alike = Enumerable.Range(0, texts.Count).Count(i => versions.Select(version => known.answers[(version, i)]).Distinct().Count() < versions.Count);
        return alike == 0
            ? known
            : throw new CheckFailedException($"Versions of {model} answer alike to {alike} of {texts.Count} texts: a wrong version would not be seen.");
    }

    /// <summary>Whether a version gives a text this answer.</summary>
    public bool Matches(int version, int text, string printed) => answers.TryGetValue((version, text), out string? known) && known == printed;
}
