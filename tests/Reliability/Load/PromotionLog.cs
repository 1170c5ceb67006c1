namespace Ulmfit.Reliability.Load;

/// <summary>Which versions may answer a request: those that were champion at some instant while it was under way.</summary>
internal sealed class PromotionLog
{
    private readonly Lock gate = new();
    private readonly List<int> versions;
    private int acknowledged;

    /// <summary>A log that begins with a champion.</summary>
    public PromotionLog(int champion) => versions = [champion];

    /// <summary>How many promotions have been answered.</summary>
    public int Acknowledged
    {
        get
        {
            lock (gate)
            {
                return acknowledged;
            }
        }
    }

    /// <summary>A promotion is about to be asked for.</summary>
    public void Begin(int version)
    {
        lock (gate)
        {
            versions.Add(version);
        }
    }

    /// <summary>The host has answered that it is done.</summary>
    public void End()
    {
        lock (gate)
        {
            acknowledged = versions.Count - 1;
        }
    }

    /// <summary>Whether a version may have answered a request just now.</summary>
    /// <param name="version">The version.</param>
    /// <param name="since"><see cref="Acknowledged"/> when the request was sent.</param>
    public bool MayAnswer(int version, int since)
    {
        lock (gate)
        {
            return versions.Skip(since).Contains(version);
        }
    }
}
