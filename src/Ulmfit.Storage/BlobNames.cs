using System.Buffers;

namespace Ulmfit.Storage;

/// <summary>
/// The names that every store can hold: a blob written to a folder can be copied to Azure Blob Storage and back.
/// </summary>
/// <remarks>
/// <para>A blob name has 1 to 1024 characters in segments parted by <c>/</c>. A segment has at most 255 bytes of UTF-8, is not
/// empty, does not begin or end with a dot or end with a space (which rules out <c>.</c>, <c>..</c> and hidden files), holds no control
/// character, no lone surrogate and none of <c>\ : * ? " &lt; &gt; |</c>, and is not a Windows device name (<c>CON</c>, <c>NUL</c>,
/// <c>COM1</c> …), with or without an extension. Nothing is escaped or decoded: <c>%41</c>, <c>+</c> and a space are those characters.</para>
/// <para>Names are case-sensitive, and are compared ordinally. On a file system that is not, two names that differ only in case
/// are one file: names that the product makes are lower-case, so that only files a user names can meet there.</para>
/// </remarks>
public static class BlobNames
{
    private const int MaxLength = 1024;
    private const int MaxSegmentBytes = 255;

    private static readonly SearchValues<char> Refused = SearchValues.Create("\\:*?\"<>|");

    private static readonly HashSet<string> DeviceNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM¹", "COM²", "COM³",
        "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT¹", "LPT²", "LPT³",
    };

    /// <summary>Checks the name of a container.</summary>
    /// <param name="container">The name.</param>
    /// <exception cref="ArgumentException">It is not one; the message says why.</exception>
    public static void CheckContainer(string container)
    {
        ArgumentNullException.ThrowIfNull(container);
        var fits = container.Length is >= 3 and <= 63
            && char.IsAsciiLetterOrDigit(container[0]) && char.IsAsciiLetterOrDigit(container[^1])
            && !container.Contains("--", StringComparison.Ordinal)
            && container.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
        if (!fits)
        {
            throw new ArgumentException(
                $"Not the name of a container: {Shown(container)}. It takes 3 to 63 of a-z, 0-9 and single hyphens, beginning and ending with a letter or digit.",
                nameof(container));
        }
        if (DeviceNames.Contains(container))
        {
            throw new ArgumentException($"Not the name of a container: {Shown(container)} is a device name on Windows.", nameof(container));
        }
    }

    /// <summary>Checks the name of a blob.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException">It is not one; the message says why.</exception>
    public static void CheckBlob(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Refusal(name) is { } reason)
        {
            throw new ArgumentException($"Not the name of a blob: {Shown(name)}. {reason}", nameof(name));
        }
    }

    /// <summary>Whether a name is one that <see cref="CheckBlob"/> lets pass.</summary>
    /// <param name="name">The name.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsBlobName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Refusal(name) is null;
    }

    /// <summary>Checks what names are to begin with: a beginning of a name that <see cref="CheckBlob"/> lets pass.</summary>
    /// <param name="prefix">The prefix; may be empty, may end within a segment or with <c>/</c>.</param>
    /// <exception cref="ArgumentException">No blob name begins so; the message says why.</exception>
    public static void CheckPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length == 0)
        {
            return;
        }
        var whole = prefix.EndsWith('/') ? prefix[..^1] : prefix;
        // What breaks off within a segment may yet go on: "a." as "a.b", "com1" as "com1-report".
        if (Refusal(whole) is { } reason && (whole != prefix || Refusal(prefix + "x") is not null))
        {
            throw new ArgumentException($"Not the beginning of a blob name: {Shown(prefix)}. {reason}", nameof(prefix));
        }
    }

    private static string? Refusal(string name)
    {
        if (name.Length == 0)
        {
            return "It is empty.";
        }
        if (name.Length > MaxLength)
        {
            return $"It has {name.Length} characters; {MaxLength} is the most.";
        }
        if (name[0] == '/')
        {
            return "It begins with a slash: names are relative to their container.";
        }
        foreach (var range in name.AsSpan().Split('/'))
        {
            if (SegmentRefusal(name.AsSpan(range)) is { } reason)
            {
                return reason;
            }
        }
        return null;
    }

    private static string? SegmentRefusal(ReadOnlySpan<char> segment)
    {
        if (segment.IsEmpty)
        {
            return "It has an empty segment: a slash at the end or two in a row.";
        }
        if (segment is "." or "..")
        {
            return "It has a segment . or .., which would leave its folder.";
        }
        if (segment[0] == '.')
        {
            return "A segment begins with a dot: such files are hidden.";
        }
        if (segment[^1] is '.' or ' ')
        {
            return "A segment ends with a dot or a space, which Windows and Azure drop.";
        }
        if (segment.ContainsAny(Refused))
        {
            return "It holds one of \\ : * ? \" < > |, which a file name cannot hold everywhere.";
        }
        var bytes = 0;
        for (var i = 0; i < segment.Length; i++)
        {
            var c = segment[i];
            if (char.IsControl(c) || c is '\uFFFE' or '\uFFFF')
            {
                return $"It holds the control character U+{(int)c:X4}.";
            }
            if (char.IsSurrogate(c))
            {
                if (!char.IsHighSurrogate(c) || i + 1 == segment.Length || !char.IsLowSurrogate(segment[i + 1]))
                {
                    return $"It holds half of a surrogate pair, U+{(int)c:X4}.";
                }
                i++;
                bytes += 4;
            }
            else
            {
                bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
            }
        }
        if (bytes > MaxSegmentBytes)
        {
            return $"A segment has {bytes} bytes; {MaxSegmentBytes} is the most that a file name can have.";
        }
        var dot = segment.IndexOf('.');
        var stem = (dot < 0 ? segment : segment[..dot]).TrimEnd(' ');
        return DeviceNames.Contains(stem.ToString()) ? $"{stem} is a device name on Windows." : null;
    }

    /// <summary>The name as a message can show it: quoted, cut short, control characters as their code points.</summary>
    private static string Shown(string name)
    {
        var cut = name.Length <= 100 ? name : string.Concat(name.AsSpan(0, 100), "…");
        return "'" + string.Concat(cut.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? $"\\u{(int)c:X4}" : c.ToString())) + "'";
    }
}
