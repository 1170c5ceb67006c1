using BenchmarkDotNet.Attributes;
using Ulmfit.Cpu.Kernels;

namespace Benchmarks;

/// <summary>Our functions, which give the same bits everywhere, beside the framework's, which do not; one thread, from the first-level cache.</summary>
public unsafe class TranscendentalBenchmarks : IMeasuresWork
{
    private const int Count = 2048;

    private readonly AlignedBuffer input = Inputs.Random(Count, 1);
    private readonly AlignedBuffer output = new(Count);

    [Benchmark]
    public void Exp512() => Run<Lanes512, ExpOf<Lanes512>>();

    [Benchmark]
    public void Sigmoid512() => Run<Lanes512, SigmoidOf<Lanes512>>();

    [Benchmark]
    public void Tanh512() => Run<Lanes512, TanhOf<Lanes512>>();

    [Benchmark]
    public void Exp256() => Run<Lanes256, ExpOf<Lanes256>>();

    [Benchmark]
    public void Sigmoid256() => Run<Lanes256, SigmoidOf<Lanes256>>();

    [Benchmark]
    public void Tanh256() => Run<Lanes256, TanhOf<Lanes256>>();

    [Benchmark]
    public void ExpScalar() => Run<LanesScalar, ExpOf<LanesScalar>>();

    [Benchmark]
    public void ExpOfFramework()
    {
        for (int i = 0; i < Count; i++)
        {
            output.Span[i] = MathF.Exp(input.Span[i]);
        }
    }

    [Benchmark]
    public void TanhOfFramework()
    {
        for (int i = 0; i < Count; i++)
        {
            output.Span[i] = MathF.Tanh(input.Span[i]);
        }
    }

    public Work WorkOf(string method) => new(1e-6 * Count, "M values");

    private void Run<T, TFunction>()
        where T : struct, ILanes<T>
        where TFunction : IFunction<T>
    {
        fixed (float* from = input.Span, to = output.Span)
        {
            for (int i = 0; i < Count; i += KernelSet.Lanes)
            {
                T.Store(to + i, TFunction.Of(T.Load(from + i)));
            }
        }
    }

    private interface IFunction<T>
    {
        static abstract T Of(T x);
    }

    private readonly struct ExpOf<T> : IFunction<T>
        where T : struct, ILanes<T>
    {
        public static T Of(T x) => Transcendental<T>.Exp(x);
    }

    private readonly struct SigmoidOf<T> : IFunction<T>
        where T : struct, ILanes<T>
    {
        public static T Of(T x) => Transcendental<T>.Sigmoid(x);
    }

    private readonly struct TanhOf<T> : IFunction<T>
        where T : struct, ILanes<T>
    {
        public static T Of(T x) => Transcendental<T>.Tanh(x);
    }
}
