namespace Fuzz;

/// <summary>Something that reads what strangers send.</summary>
/// <param name="Name">What the command line and reports call it.</param>
/// <param name="Share">How many of a run's inputs it gets, in proportion to the other targets.</param>
/// <param name="Make">Makes an input.</param>
/// <param name="Accepts">
/// Hands an input over: true where it was taken, false where it was refused in the documented way. Whatever it throws is a defect,
/// and so is a result that breaks a promise (<see cref="BrokenPromiseException"/>).
/// </param>
/// <param name="MemoryFor">The bytes that an input of a length may make it allocate, all in all.</param>
internal sealed record FuzzTarget(string Name, int Share, Func<FuzzRandom, byte[]> Make, Func<byte[], bool> Accepts, Func<int, long> MemoryFor);

/// <summary>An input was taken, but what came out of it is not what is promised.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);

/// <summary>Checks of promises.</summary>
internal static class Promise
{
    /// <summary>Throws where a promise does not hold.</summary>
    public static void Holds(bool holds, string promise)
    {
        if (!holds)
        {
            throw new BrokenPromiseException(promise);
        }
    }
}
