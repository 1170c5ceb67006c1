using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Ulmfit.Cpu.Kernels;

/// <summary>The kernels, written once over the lanes and the tile of an instruction set.</summary>
internal sealed unsafe class KernelSet<T, TTile>(string name) : KernelSet
    where T : struct, ILanes<T>
    where TTile : struct, IMatrixTile
{
    private const float LeastNormal = 1.17549435e-38f;

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override int MaxStripRows => TTile.MaxRows;

    /// <inheritdoc/>
    public override void MultiplyStrips(
        in StripLayout layout, int firstStrip, int endStrip, int rows, ReadOnlySpan<float> a, int packedDepth, int depthStart, int depth,
        ReadOnlySpan<float> b, int width, Span<float> c, int cStride, ReadOnlySpan<float> start, int startStride, int next)
    {
        if (firstStrip < 0 || endStrip > layout.Count || rows > layout.Rows)
        {
            ThrowStrips(layout, firstStrip, endStrip, rows);
        }

        int firstRow = layout.Start(firstStrip);
        int count = Math.Min(layout.Start(endStrip), rows) - firstRow;
        if (count <= 0)
        {
            return;
        }

        if (width is not (16 or 32) || layout.Height > TTile.MaxRows || depthStart < 0 || depth < 0 || depthStart > packedDepth - depth)
        {
            ThrowPanel(layout, width, depthStart, depth, packedDepth);
        }

        NeedForward(cStride);
        NeedForward(startStride);
        Need(a.Length, (long)(layout.Start(endStrip) - firstRow) * packedDepth);
        Need(b.Length, (long)depth * width);
        Need(c.Length, ((long)(count - 1) * cStride) + width);
        if (!start.IsEmpty)
        {
            Need(start.Length, ((long)(count - 1) * startStride) + width);
        }

        fixed (float* pa = a, pb = b, pc = c, ps = start)
        {
            // The strips share the work of bringing the next panel nearer. Nothing is read there, so it may lie beyond the end.
            int step = (width + endStrip - firstStrip - 1) / (endStrip - firstStrip);
            float* ahead = pb + next;
            for (int strip = firstStrip; strip < endStrip; strip++)
            {
                int row = layout.Start(strip) - firstRow;
                int height = layout.HeightOf(strip);
                int present = Math.Min(height, count - row);
                if (present <= 0)
                {
                    break;
                }

                if (ps != null && startStride != 0)
                {
                    Approach(ps + ((long)(row + height) * startStride), startStride, Math.Min(height, count - row - height));
                }

                TTile.Run(
                    present, pa + ((long)row * packedDepth) + ((long)depthStart * height), height, pb, width,
                    pc + ((long)row * cStride), cStride, depth, ps == null ? null : ps + ((long)row * startStride), startStride, ahead, step);
                ahead += (long)depth * step;
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void LstmForward(int rows, Span<float> gates, int gateStride, ReadOnlySpan<float> previousCell, Span<float> cell, Span<float> hidden, int stateStride)
    {
        if (rows <= 0)
        {
            return;
        }

        NeedForward(gateStride);
        NeedForward(stateStride);
        Need(gates.Length, ((long)(rows - 1) * gateStride) + (4 * Lanes));
        long states = ((long)(rows - 1) * stateStride) + Lanes;
        Need(previousCell.Length, states);
        Need(cell.Length, states);
        Need(hidden.Length, states);
        fixed (float* z0 = gates, p0 = previousCell, c0 = cell, h0 = hidden)
        {
            float* z = z0, p = p0, c = c0, h = h0;
            for (int row = 0; row < rows; row++)
            {
                T i = Transcendental<T>.Sigmoid(T.Load(z));
                T f = Transcendental<T>.Sigmoid(T.Load(z + 16));
                T g = Transcendental<T>.Tanh(T.Load(z + 32));
                T o = Transcendental<T>.Sigmoid(T.Load(z + 48));
                T next = T.MultiplyAdd(f, T.Load(p), T.Multiply(i, g));
                T.Store(z, i);
                T.Store(z + 16, f);
                T.Store(z + 32, g);
                T.Store(z + 48, o);
                T.Store(c, next);
                T.Store(h, T.Multiply(o, Transcendental<T>.Tanh(next)));
                z += gateStride;
                p += stateStride;
                c += stateStride;
                h += stateStride;
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void LstmBackward(
        int rows, Span<float> gates, int gateStride, ReadOnlySpan<float> previousCell, ReadOnlySpan<float> cell, ReadOnlySpan<float> outputGradient,
        ReadOnlySpan<float> mask, ReadOnlySpan<float> recurrentGradient, int recurrentRows, Span<float> cellGradient, int stateStride)
    {
        if (rows <= 0)
        {
            return;
        }

        NeedForward(gateStride);
        NeedForward(stateStride);
        Need(gates.Length, ((long)(rows - 1) * gateStride) + (4 * Lanes));
        long states = ((long)(rows - 1) * stateStride) + Lanes;
        Need(previousCell.Length, states);
        Need(cell.Length, states);
        Need(outputGradient.Length, states);
        Need(cellGradient.Length, states);
        if (!mask.IsEmpty)
        {
            Need(mask.Length, states);
        }

        if (recurrentRows > 0)
        {
            Need(recurrentGradient.Length, ((long)(recurrentRows - 1) * stateStride) + Lanes);
        }

        fixed (float* z0 = gates, p0 = previousCell, c0 = cell, g0 = outputGradient, m0 = mask, r0 = recurrentGradient, d0 = cellGradient)
        {
            T one = T.All(1f), zero = T.All(0f);
            for (int row = 0; row < rows; row++)
            {
                float* z = z0 + ((long)row * gateStride);
                long state = (long)row * stateStride;
                T i = T.Load(z), f = T.Load(z + 16), g = T.Load(z + 32), o = T.Load(z + 48);
                T recurrent = row < recurrentRows ? T.Load(r0 + state) : zero;
                T dh = WithoutVanished(m0 == null ? T.Add(T.Load(g0 + state), recurrent) : T.MultiplyAdd(T.Load(g0 + state), T.Load(m0 + state), recurrent));
                T tanh = Transcendental<T>.Tanh(T.Load(c0 + state));
                T slope = T.Subtract(one, T.Multiply(tanh, tanh));
                T dc = T.MultiplyAdd(T.Multiply(dh, o), slope, T.Load(d0 + state));
                T di = T.Multiply(dc, g), df = T.Multiply(dc, T.Load(p0 + state)), dg = T.Multiply(dc, i), dout = T.Multiply(dh, tanh);
                T.Store(z, T.Multiply(di, T.Multiply(i, T.Subtract(one, i))));
                T.Store(z + 16, T.Multiply(df, T.Multiply(f, T.Subtract(one, f))));
                T.Store(z + 32, T.Multiply(dg, T.Subtract(one, T.Multiply(g, g))));
                T.Store(z + 48, T.Multiply(dout, T.Multiply(o, T.Subtract(one, o))));
                T.Store(d0 + state, WithoutVanished(T.Multiply(dc, f)));
            }
        }
    }

    // What is no number stays, so that a training that diverges is found out.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T WithoutVanished(T x) => T.SelectGreater(T.All(VanishedGradient), x, T.SelectGreater(x, T.All(-VanishedGradient), T.All(0f), x), x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double SoftmaxCrossEntropy(Span<float> logits, int target, float scale)
    {
        if ((uint)target >= (uint)logits.Length)
        {
            ThrowNoLogit(target, logits.Length);
        }

        int whole = logits.Length & -Lanes, tail = logits.Length - whole;
        float label = logits[target];
        float* temporary = stackalloc float[16];
        fixed (float* x = logits)
        {
            T top = T.All(float.NegativeInfinity);
            for (int j = 0; j < whole; j += Lanes)
            {
                T v = T.Load(x + j);
                top = T.SelectGreater(v, top, v, top);
            }

            if (tail > 0)
            {
                new Span<float>(temporary, Lanes).Fill(float.NegativeInfinity);
                new ReadOnlySpan<float>(x + whole, tail).CopyTo(new Span<float>(temporary, Lanes));
                T v = T.Load(temporary);
                top = T.SelectGreater(v, top, v, top);
            }

            T.Store(temporary, top);
            float max = LaneTree.Max(temporary);
            T shift = T.All(-max), one = T.All(1f);
            T sums = T.All(0f);
            for (int j = 0; j < whole; j += Lanes)
            {
                T e = Transcendental<T>.Exp(T.Add(T.Load(x + j), shift));
                sums = T.Add(sums, e);
                if (scale != 0f)
                {
                    T.Store(x + j, e);
                }
            }

            if (tail > 0)
            {
                T.Store(temporary, T.All(0f));
                for (int j = 0; j < tail; j++)
                {
                    temporary[j] = Transcendental.Exp(x[whole + j] - max);
                    if (scale != 0f)
                    {
                        x[whole + j] = temporary[j];
                    }
                }

                sums = T.Add(sums, T.Load(temporary));
            }

            T.Store(temporary, sums);
            float sum = LaneTree.Sum(temporary);
            if (scale != 0f)
            {
                // What would be denormal is zero: such gradients say nothing and slow every product that meets them.
                float factor = scale / sum;
                T f = T.All(factor), least = T.All(LeastNormal), zero = T.All(0f);
                for (int j = 0; j < whole; j += Lanes)
                {
                    T g = T.Multiply(T.Load(x + j), f);
                    T.Store(x + j, T.SelectGreater(least, g, zero, g));
                }

                for (int j = whole; j < logits.Length; j++)
                {
                    float g = x[j] * factor;
                    x[j] = LeastNormal > g ? 0f : g;
                }

                x[target] -= scale;
            }

            return Transcendental.Log(sum) + ((double)max - label);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double SumOfSquares(ReadOnlySpan<float> x)
    {
        NeedWholeVectors(x.Length);
        double* sums = stackalloc double[16];
        new Span<double>(sums, 16).Clear();
        fixed (float* p = x)
        {
            for (int j = 0; j < x.Length; j += Lanes)
            {
                T.AddSquares(T.Load(p + j), sums);
            }
        }

        return LaneTree.Sum(sums);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double SumOfSquaredDifferences(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        NeedWholeVectors(x.Length);
        Need(y.Length, x.Length);
        double* sums = stackalloc double[16];
        new Span<double>(sums, 16).Clear();
        fixed (float* p = x, q = y)
        {
            for (int j = 0; j < x.Length; j += Lanes)
            {
                T.AddSquares(T.Subtract(T.Load(p + j), T.Load(q + j)), sums);
            }
        }

        return LaneTree.Sum(sums);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Adam(Span<float> weight, ReadOnlySpan<float> gradient, Span<float> first, Span<float> second, in AdamConstants constants)
    {
        int n = weight.Length;
        NeedWholeVectors(n);
        Need(gradient.Length, n);
        Need(first.Length, n);
        Need(second.Length, n);
        T scale = T.All(constants.GradientScale), beta1 = T.All(constants.Beta1), beta2 = T.All(constants.Beta2);
        T rest1 = T.All(1f - constants.Beta1), rest2 = T.All(1f - constants.Beta2);
        T step = T.All(-constants.StepSize), correction = T.All(constants.SecondCorrection), epsilon = T.All(constants.Epsilon), decay = T.All(-constants.Decay);
        T zero = T.All(0f), least = T.All(LeastNormal), minusLeast = T.All(-LeastNormal);
        fixed (float* pw = weight, pg = gradient, pm = first, pv = second)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T g = T.Multiply(T.Load(pg + j), scale);
                T m = T.MultiplyAdd(beta1, T.Load(pm + j), T.Multiply(rest1, g));
                T v = T.MultiplyAdd(beta2, T.Load(pv + j), T.Multiply(T.Multiply(rest2, g), g));

                // Moments of weights that get no gradient decay towards zero: they end there rather than among the denormals, which are slow.
                m = T.SelectGreater(m, zero, T.SelectGreater(least, m, zero, m), T.SelectGreater(m, minusLeast, zero, m));
                v = T.SelectGreater(least, v, zero, v);
                T w = T.Load(pw + j);
                w = T.MultiplyAdd(decay, w, w);
                T update = T.Divide(m, T.Add(T.Sqrt(T.Multiply(v, correction)), epsilon));
                T.Store(pw + j, T.MultiplyAdd(step, update, w));
                T.Store(pm + j, m);
                T.Store(pv + j, v);
            }
        }
    }

    /// <inheritdoc/>
    public override void Sum(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> target)
    {
        int n = CheckThree(x, y, target);
        fixed (float* px = x, py = y, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.Add(T.Load(px + j), T.Load(py + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void Multiply(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> target)
    {
        int n = CheckThree(x, y, target);
        fixed (float* px = x, py = y, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.Multiply(T.Load(px + j), T.Load(py + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void Scale(ReadOnlySpan<float> x, float factor, Span<float> target)
    {
        int n = CheckThree(x, x, target);
        T f = T.All(factor);
        fixed (float* px = x, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.Multiply(T.Load(px + j), f));
            }
        }
    }

    /// <inheritdoc/>
    public override void MultiplyScaled(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> target)
    {
        int n = CheckThree(x, y, target);
        T f = T.All(factor);
        fixed (float* px = x, py = y, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.Multiply(T.Multiply(T.Load(px + j), f), T.Load(py + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void AddScaled(ReadOnlySpan<float> x, float factor, Span<float> target)
    {
        int n = target.Length;
        NeedWholeVectors(n);
        Need(x.Length, n);
        T f = T.All(factor);
        fixed (float* px = x, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.MultiplyAdd(T.Load(px + j), f, T.Load(pt + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void AddProduct(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> target)
    {
        int n = CheckThree(x, y, target);
        T f = T.All(factor);
        fixed (float* px = x, py = y, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.MultiplyAdd(T.Multiply(T.Load(px + j), f), T.Load(py + j), T.Load(pt + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void AddDifference(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> target)
    {
        int n = CheckThree(x, y, target);
        T f = T.All(factor);
        fixed (float* px = x, py = y, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.MultiplyAdd(T.Subtract(T.Load(px + j), T.Load(py + j)), f, T.Load(pt + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void ScaleAndShift(ReadOnlySpan<float> x, ReadOnlySpan<float> factor, ReadOnlySpan<float> shift, Span<float> target)
    {
        int n = CheckThree(x, factor, target);
        Need(shift.Length, n);
        fixed (float* px = x, pf = factor, ps = shift, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.MultiplyAdd(T.Load(px + j), T.Load(pf + j), T.Load(ps + j)));
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void AddColumns(ReadOnlySpan<float> x, int rows, int stride, Span<float> target)
    {
        int n = CheckRows(x, rows, stride, target);
        fixed (float* px = x, pt = target)
        {
            // Four vectors side by side, so that a pass over the rows reads whole stretches of them.
            int j = 0;
            for (; j + (4 * Lanes) <= n; j += 4 * Lanes)
            {
                T a = T.Load(pt + j), b = T.Load(pt + j + 16), c = T.Load(pt + j + 32), d = T.Load(pt + j + 48);
                float* p = px + j;
                for (int row = 0; row < rows; row++)
                {
                    a = T.Add(a, T.Load(p));
                    b = T.Add(b, T.Load(p + 16));
                    c = T.Add(c, T.Load(p + 32));
                    d = T.Add(d, T.Load(p + 48));
                    p += stride;
                }

                T.Store(pt + j, a);
                T.Store(pt + j + 16, b);
                T.Store(pt + j + 32, c);
                T.Store(pt + j + 48, d);
            }

            for (; j < n; j += Lanes)
            {
                T sum = T.Load(pt + j);
                for (long row = 0; row < rows; row++)
                {
                    sum = T.Add(sum, T.Load(px + (row * stride) + j));
                }

                T.Store(pt + j, sum);
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void AddStripRows(ReadOnlySpan<float> strip, int height, int depth, Span<float> target)
    {
        if (height is < 1 or > Lanes)
        {
            ThrowHeight(height);
        }

        Need(strip.Length, (long)depth * height);
        Need(target.Length, height);
        float* lanes = stackalloc float[Lanes];
        target[..height].CopyTo(new Span<float>(lanes, Lanes));
        new Span<float>(lanes + height, Lanes - height).Clear();
        fixed (float* p = strip)
        {
            // A whole vector reaches into the next k; its lanes beyond the height are never looked at.
            T sum = T.Load(lanes);
            long k = 0, end = (long)depth * height;
            for (; (k * height) + Lanes <= end; k++)
            {
                sum = T.Add(sum, T.Load(p + (k * height)));
            }

            T.Store(lanes, sum);
            for (; k < depth; k++)
            {
                for (int r = 0; r < height; r++)
                {
                    lanes[r] += p[(k * height) + r];
                }
            }
        }

        new ReadOnlySpan<float>(lanes, height).CopyTo(target);
    }

    /// <inheritdoc/>
    public override void AddSquaredDeviations(ReadOnlySpan<float> x, int rows, int stride, ReadOnlySpan<float> mean, Span<float> target)
    {
        int n = CheckRows(x, rows, stride, target);
        Need(mean.Length, n);
        fixed (float* px = x, pm = mean, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T sum = T.Load(pt + j), m = T.Load(pm + j);
                for (long row = 0; row < rows; row++)
                {
                    T d = T.Subtract(T.Load(px + (row * stride) + j), m);
                    sum = T.MultiplyAdd(d, d, sum);
                }

                T.Store(pt + j, sum);
            }
        }
    }

    /// <inheritdoc/>
    public override void AddProductColumns(ReadOnlySpan<float> x, ReadOnlySpan<float> y, int rows, int stride, Span<float> target)
    {
        int n = CheckRows(x, rows, stride, target);
        CheckRows(y, rows, stride, target);
        fixed (float* px = x, py = y, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T sum = T.Load(pt + j);
                for (long row = 0; row < rows; row++)
                {
                    sum = T.MultiplyAdd(T.Load(px + (row * stride) + j), T.Load(py + (row * stride) + j), sum);
                }

                T.Store(pt + j, sum);
            }
        }
    }

    /// <inheritdoc/>
    public override void Normalise(ReadOnlySpan<float> x, ReadOnlySpan<float> mean, ReadOnlySpan<float> inverse, Span<float> target)
    {
        int n = CheckThree(x, mean, target);
        Need(inverse.Length, n);
        fixed (float* px = x, pm = mean, pi = inverse, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.Multiply(T.Subtract(T.Load(px + j), T.Load(pm + j)), T.Load(pi + j)));
            }
        }
    }

    /// <inheritdoc/>
    public override void InverseDeviation(ReadOnlySpan<float> x, float factor, float epsilon, Span<float> target)
    {
        int n = target.Length;
        NeedWholeVectors(n);
        Need(x.Length, n);
        T f = T.All(factor), e = T.All(epsilon), one = T.All(1f);
        fixed (float* px = x, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T.Store(pt + j, T.Divide(one, T.Sqrt(T.MultiplyAdd(T.Load(px + j), f, e))));
            }
        }
    }

    /// <inheritdoc/>
    public override void BatchNormBackward(
        ReadOnlySpan<float> gradient, ReadOnlySpan<float> normalised, ReadOnlySpan<float> weight, ReadOnlySpan<float> inverse, ReadOnlySpan<float> gradientSum,
        ReadOnlySpan<float> productSum, float inverseCount, Span<float> target)
    {
        int n = CheckThree(gradient, normalised, target);
        Need(weight.Length, n);
        Need(inverse.Length, n);
        Need(gradientSum.Length, n);
        Need(productSum.Length, n);
        T count = T.All(inverseCount);
        fixed (float* pg = gradient, px = normalised, pw = weight, pi = inverse, ps = gradientSum, pp = productSum, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T g = T.Subtract(T.Load(pg + j), T.Multiply(T.Load(ps + j), count));
                g = T.Subtract(g, T.Multiply(T.Load(px + j), T.Multiply(T.Load(pp + j), count)));
                T.Store(pt + j, T.Multiply(T.Multiply(T.Load(pw + j), T.Load(pi + j)), g));
            }
        }
    }

    /// <inheritdoc/>
    public override void Relu(Span<float> x)
    {
        NeedWholeVectors(x.Length);
        T zero = T.All(0f);
        fixed (float* p = x)
        {
            for (int j = 0; j < x.Length; j += Lanes)
            {
                T v = T.Load(p + j);
                T.Store(p + j, T.SelectGreater(v, zero, v, zero));
            }
        }
    }

    /// <inheritdoc/>
    public override void ReluBackward(ReadOnlySpan<float> x, Span<float> gradient)
    {
        NeedWholeVectors(gradient.Length);
        Need(x.Length, gradient.Length);
        T zero = T.All(0f);
        fixed (float* p = x, g = gradient)
        {
            for (int j = 0; j < gradient.Length; j += Lanes)
            {
                T.Store(g + j, T.SelectGreater(T.Load(p + j), zero, T.Load(g + j), zero));
            }
        }
    }

    /// <inheritdoc/>
    public override void Pool(ReadOnlySpan<float> hidden, float time, Span<float> sum, Span<float> max, Span<float> argmax)
    {
        int n = CheckThree(hidden, max, sum);
        Need(argmax.Length, n);
        T t = T.All(time);
        fixed (float* ph = hidden, ps = sum, pm = max, pa = argmax)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T h = T.Load(ph + j), m = T.Load(pm + j);
                T.Store(ps + j, T.Add(T.Load(ps + j), h));
                T.Store(pa + j, T.SelectGreater(h, m, t, T.Load(pa + j)));
                T.Store(pm + j, T.SelectGreater(h, m, h, m));
            }
        }
    }

    /// <inheritdoc/>
    public override void PoolBackward(ReadOnlySpan<float> mean, float factor, ReadOnlySpan<float> max, ReadOnlySpan<float> argmax, float time, Span<float> target)
    {
        int n = CheckThree(mean, max, target);
        Need(argmax.Length, n);
        T t = T.All(time), f = T.All(factor), zero = T.All(0f);
        fixed (float* pg = mean, pm = max, pa = argmax, pt = target)
        {
            for (int j = 0; j < n; j += Lanes)
            {
                T most = T.SelectEqual(T.Load(pa + j), t, T.Load(pm + j), zero);
                T.Store(pt + j, T.MultiplyAdd(T.Load(pg + j), f, most));
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override long Peak(long rounds, Span<float> sixteen)
    {
        Need(sixteen.Length, Lanes);
        T factor = T.All(0.999f), c = T.All(0.001f);
        fixed (float* p = sixteen)
        {
            T a0 = T.Load(p), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
            for (long i = 0; i < rounds; i++)
            {
                a0 = T.MultiplyAdd(a0, factor, c);
                a1 = T.MultiplyAdd(a1, factor, c);
                a2 = T.MultiplyAdd(a2, factor, c);
                a3 = T.MultiplyAdd(a3, factor, c);
                if (TTile.MaxRows > 6)
                {
                    a4 = T.MultiplyAdd(a4, factor, c);
                    a5 = T.MultiplyAdd(a5, factor, c);
                    a6 = T.MultiplyAdd(a6, factor, c);
                    a7 = T.MultiplyAdd(a7, factor, c);
                    a8 = T.MultiplyAdd(a8, factor, c);
                    a9 = T.MultiplyAdd(a9, factor, c);
                }
            }

            T sum = T.Add(T.Add(T.Add(a0, a1), T.Add(a2, a3)), T.Add(T.Add(a4, a5), T.Add(T.Add(a6, a7), T.Add(a8, a9))));
            T.Store(p, sum);
        }

        return rounds * (TTile.MaxRows > 6 ? 10 : 4) * Lanes * 2;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override long PeakFromCache(long rounds, Span<float> sixteen)
    {
        Need(sixteen.Length, Lanes);
        fixed (float* p = sixteen)
        {
            T b0 = T.Load(p), b1 = T.Multiply(b0, b0), a0 = b0, a1 = b0, a2 = b0, a3 = b0, a4 = b0, a5 = b0, a6 = b0, a7 = b0, a8 = b0, a9 = b0;
            for (long i = 0; i < rounds; i++)
            {
                // An address that changes keeps the compiler from reading once and for all.
                float* factor = p + (i & 7);
                T f = T.All(factor[0]);
                a0 = T.MultiplyAdd(f, b0, a0);
                a1 = T.MultiplyAdd(f, b1, a1);
                f = T.All(factor[1]);
                a2 = T.MultiplyAdd(f, b0, a2);
                a3 = T.MultiplyAdd(f, b1, a3);
                if (TTile.MaxRows > 6)
                {
                    f = T.All(factor[2]);
                    a4 = T.MultiplyAdd(f, b0, a4);
                    a5 = T.MultiplyAdd(f, b1, a5);
                    f = T.All(factor[3]);
                    a6 = T.MultiplyAdd(f, b0, a6);
                    a7 = T.MultiplyAdd(f, b1, a7);
                    f = T.All(factor[4]);
                    a8 = T.MultiplyAdd(f, b0, a8);
                    a9 = T.MultiplyAdd(f, b1, a9);
                }
            }

            T.Store(p, T.Add(T.Add(T.Add(a0, a1), T.Add(a2, a3)), T.Add(T.Add(a4, a5), T.Add(T.Add(a6, a7), T.Add(a8, a9)))));
        }

        return rounds * (TTile.MaxRows > 6 ? 10 : 4) * Lanes * 2;
    }

    private static void ThrowNoLogit(int target, int logits) => throw new ArgumentException($"Target {target} is not one of {logits} logits.", nameof(target));

    private static void ThrowHeight(int height) => throw new ArgumentOutOfRangeException(nameof(height), height, $"A strip has 1 to {Lanes} rows.");

    private static void ThrowStrips(in StripLayout layout, int firstStrip, int endStrip, int rows) => throw new ArgumentException(
        $"Strips {firstStrip} to {endStrip} and {rows} rows are not of a layout of {layout.Count} strips and {layout.Rows} rows.");

    private static void ThrowPanel(in StripLayout layout, int width, int depthStart, int depth, int packedDepth) => throw new ArgumentException(
        $"A panel of {width} columns, strips of {layout.Height} rows and depths {depthStart} + {depth} of {packedDepth} cannot be multiplied.");

    /// <summary>Brings the chains of the next strip nearer while this one is multiplied.</summary>
    private static void Approach(float* rows, long stride, int count)
    {
        if (Sse.IsSupported)
        {
            for (int row = 0; row < count; row++)
            {
                Sse.Prefetch0(rows + (row * stride));
                Sse.Prefetch0(rows + (row * stride) + 16);
            }
        }
    }

    private static int CheckThree(ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> target)
    {
        NeedWholeVectors(target.Length);
        Need(x.Length, target.Length);
        Need(y.Length, target.Length);
        return target.Length;
    }

    private static int CheckRows(ReadOnlySpan<float> x, int rows, int stride, ReadOnlySpan<float> target)
    {
        NeedWholeVectors(target.Length);
        if (rows > 0)
        {
            NeedForward(stride);
            Need(x.Length, ((long)(rows - 1) * stride) + target.Length);
        }

        return target.Length;
    }
}

/// <summary>Reductions over sixteen lanes as one fixed tree: lane j with lane j + 8, then j + 4, j + 2, j + 1.</summary>
internal static unsafe class LaneTree
{
    /// <summary>The sum; the lanes are overwritten.</summary>
    public static float Sum(float* lanes)
    {
        for (int half = 8; half > 0; half >>= 1)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] += lanes[j + half];
            }
        }

        return lanes[0];
    }

    /// <summary>The sum; the lanes are overwritten.</summary>
    public static double Sum(double* lanes)
    {
        for (int half = 8; half > 0; half >>= 1)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] += lanes[j + half];
            }
        }

        return lanes[0];
    }

    /// <summary>The greatest; the lanes are overwritten.</summary>
    public static float Max(float* lanes)
    {
        for (int half = 8; half > 0; half >>= 1)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] = lanes[j + half] > lanes[j] ? lanes[j + half] : lanes[j];
            }
        }

        return lanes[0];
    }
}
