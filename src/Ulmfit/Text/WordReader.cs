using System.Runtime.CompilerServices;

namespace Ulmfit.Text;

/// <summary>Reads texts into numbers of tokens that it gives out itself. For one thread at a time.</summary>
internal sealed class WordReader
{
    private readonly TokenScanner<NumberForm> scanner;

    internal WordReader()
    {
        scanner = new TokenScanner<NumberForm>(new NumberForm(Tokens));
    }

    /// <summary>What the numbers stand for.</summary>
    internal TokenNumbers Tokens { get; } = new();

    /// <summary>The tokens of a text, <c>xxbos</c> first; valid until the next call.</summary>
    internal ReadOnlySpan<int> Read(ReadOnlySpan<char> text) => scanner.Scan(text);

    private readonly struct NumberForm(TokenNumbers numbers) : ITokenForm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Of(ReadOnlySpan<char> token) => numbers.Of(token);
    }
}
