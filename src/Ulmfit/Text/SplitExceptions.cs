using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>
/// Words that the rules for punctuation would split wrongly: contractions, abbreviations, times and emoticons, as
/// spaCy's English tokenizer lists them. A contraction is two to four tokens (<c>do n't</c>), the others are one.
/// Looked up in the word's own case and in lower case, so that "DON'T" is split and "Miss." is an abbreviation where
/// "miss." is not. Each form with an apostrophe also exists with the typographic one.
/// </summary>
internal static class SplitExceptions
{
    private static readonly SpanMap<byte[]> Table = Build();

    /// <summary>Bit n of element c: there is an exception of n characters whose first character is c.</summary>
    private static readonly ushort[] LengthsByFirst = BuildLengths();

    /// <summary>The length of the longest exception.</summary>
    internal const int MaximumLength = 12;

    /// <summary>Finds the lengths of a word's tokens; both spans hold the same word, of equal length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool TryGet(
        ReadOnlySpan<char> original, ReadOnlySpan<char> lower, [NotNullWhen(true)] out byte[]? lengths)
    {
        // In lower case first: contractions and emoticons. The rest is found only in the case in which it is listed.
        lengths = null;
        return original.Length is > 0 and <= MaximumLength
            && ((MayHold(lower) && Table.TryGet(lower, out lengths))
                || (MayHold(original) && !original.SequenceEqual(lower) && Table.TryGet(original, out lengths)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool MayHold(ReadOnlySpan<char> word) =>
        word[0] >= LengthsByFirst.Length || (LengthsByFirst[word[0]] & (1 << word.Length)) != 0;

    private static ushort[] BuildLengths()
    {
        var lengths = new ushort[128];
        for (int i = 0; i < Table.Count; i++)
        {
            string key = Table.KeyAt(i);
            if (key[0] < lengths.Length)
            {
                lengths[key[0]] |= (ushort)(1 << key.Length);
            }
        }

        return lengths;
    }

    private static SpanMap<byte[]> Build()
    {
        var parts = new Dictionary<string, string[]>(StringComparer.Ordinal);

        // What the list excludes because the word without its apostrophe is a word of its own.
        string[] excluded = ["ill", "its", "hell", "shell", "shed", "were", "well", "whore"];

        void Add(params string[] tokens)
        {
            string key = string.Concat(tokens);
            parts[key] = tokens;
            if (key.Contains('\''))
            {
                parts[key.Replace('\'', '’')] = [.. tokens.Select(t => t.Replace('\'', '’'))];
            }
        }

        // The contraction with its apostrophe and, as people type it, without.
        void Contract(params string[] tokens)
        {
            Add(tokens);
            string[] bare = [.. tokens.Select(t => t.Replace("'", "", StringComparison.Ordinal))];
            if (!excluded.Contains(string.Concat(bare)))
            {
                Add(bare);
            }
        }

        Contract("i", "'m");
        Contract("i", "'m", "a");
        foreach (string pronoun in (string[])["i", "you", "he", "she", "it", "we", "they"])
        {
            Contract(pronoun, "'ll");
            Contract(pronoun, "'ll", "'ve");
            Contract(pronoun, "'d");
            Contract(pronoun, "'d", "'ve");
        }

        foreach (string pronoun in (string[])["i", "you", "we", "they"])
        {
            Contract(pronoun, "'ve");
        }

        foreach (string pronoun in (string[])["you", "we", "they"])
        {
            Contract(pronoun, "'re");
        }

        foreach (string pronoun in (string[])["he", "she", "it"])
        {
            Contract(pronoun, "'s");
        }

        foreach (string word in (string[])["who", "what", "when", "where", "why", "how", "there", "that", "this", "these", "those"])
        {
            if (word is not ("these" or "those"))
            {
                Contract(word, "'s");
            }

            Contract(word, "'ll");
            Contract(word, "'ll", "'ve");
            if (word is not ("that" or "this"))
            {
                Contract(word, "'re");
                Contract(word, "'ve");
            }

            Contract(word, "'d");
            Contract(word, "'d", "'ve");
        }

        foreach (string verb in (string[])["ca", "could", "do", "does", "did", "had", "may", "might", "must", "need", "ought", "sha", "should", "wo", "would"])
        {
            Contract(verb, "n't");
            Contract(verb, "n't", "'ve");
        }

        foreach (string verb in (string[])["could", "might", "must", "should", "would"])
        {
            Contract(verb, "'ve");
        }

        foreach (string verb in (string[])["ai", "are", "is", "was", "were", "have", "has", "dare"])
        {
            Contract(verb, "n't");
        }

        foreach (string word in (string[])["doin", "goin", "nothin", "nuthin", "ol", "somethin", "lovin", "havin"])
        {
            Add(word);
            Add(word + "'");
        }

        foreach (string word in (string[])["em", "ll", "nuff"])
        {
            Add(word);
            Add("'" + word);
        }

        for (int hour = 1; hour <= 12; hour++)
        {
            foreach (string half in (string[])["a.m.", "am", "p.m.", "pm"])
            {
                Add($"{hour}", half);
            }
        }

        Add("y'", "all");
        Add("y", "all");
        Add("how", "'d", "'y");
        Contract("not", "'ve");
        Add("can", "not");
        Add("gon", "na");
        Add("got", "ta");
        Add("let", "'s");
        Add("c'm", "on");

        foreach (string word in (string[])["'s", "‘s", "'re", "'d", "'cause", "'cos", "'coz", "'cuz", "'bout", "ma'am", "o'clock", "'", "''", "\u2014", "c++", "C++", "<space>"])
        {
            Add(word);
        }

        const string abbreviations =
            """
            Mt. Ak. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. Feb. Fla. Ga. Ia. Id. Ill. Ind. Jan. Jul. Jun.
            Kan. Kans. Ky. La. Mar. Mass. Mich. Minn. Miss. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. Oct. Okla.
            Ore. Pa. S.C. Sep. Sept. Tenn. Va. Wash. Wis. a.m. Adm. Bros. co. Co. Corp. D.C. Dr. e.g. E.g. E.G. Gen. Gov.
            i.e. I.e. I.E. Inc. Jr. Ltd. Md. Messrs. Mo. Mont. Mr. Mrs. Ms. p.m. Ph.D. Prof. Rep. Rev. Sen. St. vs. v.s.
            a. b. c. d. e. f. g. h. i. j. k. l. m. n. o. p. q. r. s. t. u. v. w. x. y. z. ä. ö. ü.
            """;

        // Those with a slash or backslash are left out: that character is set apart before words are looked at.
        const string emoticons =
            """
            :) :-) :)) :-)) :))) :-))) (: (-: =) (= :] :-] [: [-: [= =] :o) (o: :} :-} 8) 8-) (-8 ;) ;-) (; (-; :( :-( :((
            :-(( :((( :-((( ): )-: =( >:( :') :'-) :'( :'-( =| :| :-| ]= =[ :1 :P :-P :p :-p :O :-O :o :-o :0 :-0 :() >:o
            :* :-* :3 :-3 =3 :> :-> :X :-X :x :-x :D :-D ;D ;-D =D xD XD xDD XDD 8D 8-D ^_^ ^__^ ^___^ >.< >.> <.< ._. ;_;
            -_- -__- v.v V.V v_v V_V o_o o_O O_o O_O 0_o o_0 0_0 o.O O.o O.O o.o 0.0 o.0 0.o @_@ <3 <33 <333 (^_^) (-_-)
            (._.) (>_<) (*_*) (¬_¬) ಠ_ಠ ಠ︵ಠ (ಠ_ಠ) (╯°□°）╯︵┻━┻ ><(((*>
            """;
        foreach (string word in abbreviations.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            Add(word);
        }

        foreach (string word in emoticons.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            Add(word);
        }

        var table = new SpanMap<byte[]>(parts.Count);
        foreach ((string key, string[] tokens) in parts)
        {
            if (key.Length <= MaximumLength)
            {
                table.Add(key, Array.ConvertAll(tokens, token => (byte)token.Length));
            }
        }

        return table;
    }
}
