namespace Ulmfit.Cpu;

/// <summary>
/// Which lanes run at which time of a chunk: a packed sequence. Lanes are ordered longest first, so the lanes that still
/// run at a time are the first so many, and padding is neither stored nor computed. Row r of an activation is lane
/// <see cref="LaneOf"/>[r]; the rows of a time lie together, time after time.
/// </summary>
internal sealed class SequenceShape
{
    /// <summary>Time steps.</summary>
    public int Time { get; private set; }

    /// <summary>Lanes at the first time step.</summary>
    public int Lanes { get; private set; }

    /// <summary>Rows in all.</summary>
    public int Rows { get; private set; }

    /// <summary>Lanes that run at each time.</summary>
    public int[] Counts { get; private set; } = [];

    /// <summary>First row of each time.</summary>
    public int[] Offsets { get; private set; } = [];

    /// <summary>Lane of each row.</summary>
    public int[] LaneOf { get; private set; } = [];

    /// <summary>
    /// Row of the state from which each row goes on. States are numbered with the initial ones first:
    /// <c>[Lanes + Rows]</c>.
    /// </summary>
    public int[] Previous { get; private set; } = [];

    /// <summary>Whether the initial state is zero, so that the first recurrent product can be left out.</summary>
    public bool StartsAtZero { get; set; }

    /// <summary>All lanes run through all of the time.</summary>
    public void SetUniform(int time, int lanes, bool startsAtZero)
    {
        Reserve(time, time * lanes);
        Counts.AsSpan(0, time).Fill(lanes);
        Complete(time, lanes, startsAtZero);
    }

    /// <summary>The tokens from <paramref name="start"/> on, at most <paramref name="time"/>, of lanes with these lengths, longest first.</summary>
    public void SetChunk(ReadOnlySpan<int> lengths, int start, int time)
    {
        time = Math.Min(time, lengths[0] - start);
        int lanes = lengths.Length;
        int rows = 0;
        Reserve(time, 0);
        for (int t = 0; t < time; t++)
        {
            while (lanes > 0 && lengths[lanes - 1] <= start + t)
            {
                lanes--;
            }

            Counts[t] = lanes;
            rows += lanes;
        }

        Reserve(time, rows);
        Complete(time, Counts[0], start == 0);
    }

    private void Complete(int time, int lanes, bool startsAtZero)
    {
        Time = time;
        Lanes = lanes;
        StartsAtZero = startsAtZero;
        int row = 0;
        for (int t = 0; t < time; t++)
        {
            Offsets[t] = row;
            for (int lane = 0; lane < Counts[t]; lane++, row++)
            {
                LaneOf[row] = lane;
                Previous[row] = t == 0 ? lane : lanes + Offsets[t - 1] + lane;
            }
        }

        Rows = row;
    }

    private void Reserve(int time, int rows)
    {
        if (Counts.Length < time)
        {
            Counts = new int[time];
            Offsets = new int[time];
        }

        if (LaneOf.Length < rows)
        {
            LaneOf = new int[rows];
            Previous = new int[rows];
        }
    }
}
