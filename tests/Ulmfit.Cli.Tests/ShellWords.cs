using System.Text;

namespace Ulmfit.Cli.Tests;

/// <summary>Takes simple shell commands apart, as far as documents have them.</summary>
internal static class ShellWords
{
    /// <summary>The words of the command's first part: up to a pipe, a redirection, a chain or a comment.</summary>
    public static string[] Of(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        bool begun = false;
        char quote = '\0';
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (quote != '\0')
            {
                if (c == quote)
                {
                    quote = '\0';
                }
                else
                {
                    word.Append(c);
                }
            }
            else if (c is '\'' or '"')
            {
                (quote, begun) = (c, true);
            }
            else if (c is '|' or '>' or '<' or '&' or ';' || (c == '#' && !begun))
            {
                break;
            }
            else if (char.IsWhiteSpace(c))
            {
                End();
            }
            else
            {
                word.Append(c);
                begun = true;
            }
        }

        End();
        return [.. words];

        void End()
        {
            if (begun)
            {
                words.Add(word.ToString());
            }

            word.Clear();
            begun = false;
        }
    }
}
