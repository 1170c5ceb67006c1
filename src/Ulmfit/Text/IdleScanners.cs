namespace Ulmfit.Text;

/// <summary>
/// What is not in use at the moment and remembers something worth keeping: as many as there are processors, so that a
/// crowd of threads that comes once leaves no more behind. Any number of threads may take and give back.
/// </summary>
/// <typeparam name="T">What is kept.</typeparam>
internal sealed class IdleScanners<T>
    where T : class
{
    private readonly T?[] places = new T?[Environment.ProcessorCount];

    /// <summary>One that nobody else has, null if all are in use.</summary>
    internal T? Take()
    {
        for (int i = 0; i < places.Length; i++)
        {
            if (Interlocked.Exchange(ref places[i], null) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Keeps one that its user has done with, if there is room.</summary>
    internal void GiveBack(T scanner)
    {
        for (int i = 0; i < places.Length; i++)
        {
            if (Interlocked.CompareExchange(ref places[i], scanner, null) is null)
            {
                return;
            }
        }
    }
}
