namespace Ulmfit.Onnx.Export;

/// <summary>Weights as int8 with float32 scales: <c>weight ≈ value · scale</c>. A function of the weights alone, the same on every machine.</summary>
internal static class Int8Weights
{
    private const int Bins = 4096;
    private const int Clips = 16;

    /// <summary>
    /// Quantises each row by itself and symmetrically, in [-127, 127]: a row's greatest magnitude is 127 steps.
    /// </summary>
    /// <param name="weights">The weights, <c>[rows, columns]</c>.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="values">Where the values go, <c>[rows, columns]</c>.</param>
    /// <param name="scales">Where the rows' scales go, <c>[rows]</c>.</param>
    public static void QuantizeRows(ReadOnlySpan<float> weights, int rows, Span<sbyte> values, Span<float> scales)
    {
        int columns = weights.Length / rows;
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> source = weights.Slice(row * columns, columns);
            float greatest = Greatest(source);

            // A row of zeros keeps a scale that can be divided by.
            float scale = greatest > 0 ? greatest / 127 : 1;
            scales[row] = scale;
            Quantize(source, scale, 127, values.Slice(row * columns, columns));
        }
    }

    /// <summary>
    /// Quantises a whole table by one scale, in [-128, 127]. Few entries are far greater than all others, so the scale is the one of
    /// <c>1/16, 2/16, … 1</c> of the greatest magnitude that makes the sum of squared errors least, and what exceeds it is clipped.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="values">Where the values go.</param>
    /// <returns>The scale.</returns>
    public static float QuantizeTable(ReadOnlySpan<float> table, Span<sbyte> values)
    {
        float greatest = Greatest(table);
        float scale = greatest > 0 ? BestClip(table, greatest) / 127 : 1;
        Quantize(table, scale, 128, values);
        return scale;
    }

    private static float BestClip(ReadOnlySpan<float> table, float greatest)
    {
        // Of magnitudes in bins, so that each candidate costs a look at the bins alone.
        long[] counts = new long[Bins];
        foreach (float value in table)
        {
            counts[Math.Min(Bins - 1, (int)(MathF.Abs(value) / greatest * Bins))]++;
        }

        float best = greatest;
        double least = double.PositiveInfinity;
        for (int sixteenths = Clips; sixteenths >= 1; sixteenths--)
        {
            double clip = (double)greatest * sixteenths / Clips, step = clip / 127, error = 0;
            for (int bin = 0; bin < Bins; bin++)
            {
                double beyond = Math.Max(0, ((bin + 0.5) / Bins * greatest) - clip);

                // Rounding to steps errs evenly in half a step each way.
                error += counts[bin] * (beyond > 0 ? beyond * beyond : step * step / 12);
            }

            if (error < least)
            {
                least = error;
                best = (float)clip;
            }
        }

        return best;
    }

    private static void Quantize(ReadOnlySpan<float> source, float scale, int lowest, Span<sbyte> values)
    {
        for (int i = 0; i < source.Length; i++)
        {
            values[i] = (sbyte)Math.Clamp(MathF.Round(source[i] / scale, MidpointRounding.ToEven), -lowest, 127);
        }
    }

    private static float Greatest(ReadOnlySpan<float> values)
    {
        float greatest = 0;
        foreach (float value in values)
        {
            greatest = Math.Max(greatest, MathF.Abs(value));
        }

        return greatest;
    }
}
