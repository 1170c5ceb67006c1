using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Ulmfit.Functions.Tests.Faults;

/// <summary>What goes wrong with a call of the store.</summary>
internal enum Fault
{
    None,

    /// <summary>The call fails and nothing has happened.</summary>
    Before,

    /// <summary>The effect has taken place, and its answer is lost.</summary>
    After,

    /// <summary>A stream breaks off while it is read.</summary>
    Midway,

    /// <summary>A listing is some changes behind.</summary>
    Stale,
}

/// <summary>
/// Which calls of the store go wrong, and how: a function of a seed and of the call (its kind, its blob, the how-manieth of that
/// kind on that blob), so that it does not depend on which of two concurrent calls comes first. No blob is spited for ever: after
/// <see cref="Spite"/> faults of one kind of call on it, that kind works.
/// </summary>
internal sealed class FaultPlan
{
    public FaultPlan(int seed)
    {
        Seed = seed;
        Rate = Draw("rate", 0, 4) switch { 0 => 0.02, 1 => 0.05, 2 => 0.1, _ => 0.25 };
        Spite = 1 + (int)Draw("spite", 0, 4);
        Stale = Draw("stale", 0, 2) == 0 ? 0 : 0.15;
        Behind = 1 + (int)Draw("behind", 0, 12);
        BothDirections = Draw("directions", 0, 5) == 0;
        SecondDropAfter = Draw("second", 0, 2) == 0 ? null : (int)Draw("when", 0, 140);
        OutageAt = Draw("outage", 0, 3) == 0 ? (int)Draw("outage at", 0, 120) : int.MaxValue;
        OutageLength = 1 + (int)Draw("outage length", 0, 25);
        Rots = (int)Math.Max(0, Draw("rots", 0, 6) - 2);
    }

    private FaultPlan(bool bothDirections, int? secondDropAfter)
    {
        BothDirections = bothDirections;
        SecondDropAfter = secondDropAfter;
        OutageAt = int.MaxValue;
    }

    /// <summary>A plan under which nothing goes wrong.</summary>
    public static FaultPlan Undisturbed(bool bothDirections, int? secondDropAfter) => new(bothDirections, secondDropAfter);

    public int Seed { get; }

    /// <summary>How many calls go wrong.</summary>
    public double Rate { get; }

    /// <summary>How many faults of a kind a blob sees at most.</summary>
    public int Spite { get; }

    /// <summary>How many listings are behind.</summary>
    public double Stale { get; }

    /// <summary>By how many changes they are.</summary>
    public int Behind { get; }

    public bool BothDirections { get; }

    /// <summary>After how many calls of the store a second drop comes in; null for none.</summary>
    public int? SecondDropAfter { get; }

    /// <summary>After how many calls nothing works for <see cref="OutageLength"/> calls.</summary>
    public int OutageAt { get; }

    public int OutageLength { get; }

    /// <summary>How many blobs that a run works with lose a bit after they have been written.</summary>
    public int Rots { get; }

    /// <summary>What goes wrong with a call.</summary>
    public Fault Of(CallKind kind, string blob, int nth)
    {
        double luck = Luck($"{kind} {blob}", nth);
        if (kind == CallKind.List && luck > 1 - Stale)
        {
            return Fault.Stale;
        }
        if (luck >= Rate)
        {
            return Fault.None;
        }
        double how = luck / Rate;
        return kind switch
        {
            CallKind.Write or CallKind.Delete => how < 0.5 ? Fault.Before : Fault.After,
            CallKind.Open => how < 0.5 ? Fault.Before : Fault.Midway,
            _ => Fault.Before,
        };
    }

    /// <summary>Whether a blob loses a bit after it has been written: checkpoints, exports and manifests of steps and candidates may.</summary>
    public bool Rot(string blob, int nth) =>
        (blob.StartsWith($"state/sha256/{FaultSchedule.Dataset}/runs/", StringComparison.Ordinal) || blob.StartsWith("state/steps/", StringComparison.Ordinal))
        && Draw($"rot {blob}", nth, 4) == 0;

    /// <summary>A failure as stores tell it.</summary>
    public Exception Failure(CallKind kind, string blob, int nth) => (kind is CallKind.Write or CallKind.Delete ? Draw($"failure {kind} {blob}", nth, 4) : 0) switch
    {
        1 => new IOException($"injected into {kind} {blob}: No space left on device", 28),
        2 => new UnauthorizedAccessException($"injected into {kind} {blob}: access to the path is denied"),
        3 => new IOException($"injected into {kind} {blob}: Read-only file system", 30),
        _ => new IOException($"injected into {kind} {blob}"),
    };

    /// <summary>How long a call takes.</summary>
    public TimeSpan Delay(CallKind kind, string blob, int nth) =>
        Draw($"delay {kind} {blob}", nth, 25) == 0 ? TimeSpan.FromMilliseconds(1) : TimeSpan.Zero;

    /// <summary>A number in [0, <paramref name="end"/>).</summary>
    public long Draw(string what, int nth, long end) => (long)(Luck(what, nth) * end);

    private double Luck(string what, int nth)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{Seed} {nth} {what}"), hash);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash) >> 11) / (double)(1UL << 53);
    }
}

/// <summary>What a call of the store does.</summary>
internal enum CallKind
{
    Read,
    Open,
    Write,
    Delete,
    List,
}
