using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu.Tests;

[Collection(nameof(AloneInTheProcess))]
public sealed class AlignedBufferTests
{
    private const int Floats = 3 << 20;
    private const int Rounds = 16;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16_000)]
    [InlineData(17_000)]
    [InlineData(Floats)]
    public void Span_OfAnyLength_IsZeroAtFirstAndAligned(int length)
    {
        using (var dirty = new AlignedBuffer(length))
        {
            dirty.Span.Fill(1);
        }
        using var buffer = new AlignedBuffer(length);

        Assert.Equal(length, buffer.Span.Length);
        Assert.False(buffer.Span.ContainsAnyExcept(0f));
        Assert.Equal(0, AddressOf(buffer) % 64);
    }

    /// <summary>The epochs of a run come to other threads, and the C library keeps a pool of freed memory for each of many.</summary>
    [Fact]
    public void Dispose_OfLargeBuffersOnManyThreads_GivesTheirMemoryBack()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Resident memory is read where Linux shows it.");
        long before = ResidentBytes();
        var threads = new List<Thread>();
        using var end = new ManualResetEventSlim();
        for (int round = 0; round < Rounds; round++)
        {
            // They live on, as the threads of a pool do, so that each keeps a pool of memory of its own.
            using var done = new ManualResetEventSlim();
            var thread = new Thread(() =>
            {
                for (int i = 0; i < 3; i++)
                {
                    using AlignedBuffer first = new(Floats), second = new(Floats);
                    first.Span.Fill(i);
                    second.Span.Fill(i);
                }
                done.Set();
                end.Wait();
            });
            thread.Start();
            done.Wait(TestContext.Current.CancellationToken);
            threads.Add(thread);
        }
        long kept = ResidentBytes() - before;
        end.Set();
        threads.ForEach(thread => thread.Join());

        // A tenth of what so many networks have held.
        Assert.True(kept < 2L * Rounds * Floats * sizeof(float) / 10, $"{kept >> 20} MiB are kept");
    }

    private static unsafe long AddressOf(AlignedBuffer buffer)
    {
        fixed (float* first = buffer.Span)
        {
            return (long)first;
        }
    }

    private static long ResidentBytes() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
