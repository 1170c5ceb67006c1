using System.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary>The card of a pretrained language model in its folder.</summary>
internal static class PretrainedCardFile
{
    private const string Card = "card.json";
    private const string Readme = "README.md";

    /// <summary>The card of a folder, null where there is none.</summary>
    /// <exception cref="InvalidDataException">The file is no such card.</exception>
    public static PretrainedCard? Find(string directory)
    {
        string path = Path.Combine(directory, Card);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return PretrainedCard.Parse(File.ReadAllBytes(path));
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"'{path}' is not the card of a pretrained model: {exception.Message}", exception);
        }
    }

    public static void Save(string directory, PretrainedCard card)
    {
        ModelDirectory.WriteWhole(Path.Combine(directory, Card), stream => stream.Write(card.ToJson()));
        ModelDirectory.WriteWhole(Path.Combine(directory, Readme), stream => stream.Write(Encoding.UTF8.GetBytes(card.ToMarkdown())));
    }
}
