namespace Ulmfit.Cpu.Tests;

/// <summary>The team of threads.</summary>
public sealed class ComputeTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Take_InEveryPhase_GivesEachItemOnce(int threads)
    {
        using var team = new ComputeTeam(threads);
        const int Phases = 200;
        var counts = new int[Phases, 37];
        team.Run(new Work(thread =>
        {
            for (int phase = 0; phase < Phases; phase++)
            {
                int items = phase % 37;
                while (team.Take(thread, items, out int item))
                {
                    Interlocked.Increment(ref counts[phase, item]);
                }

                team.Barrier(thread);
            }
        }));
        for (int phase = 0; phase < Phases; phase++)
        {
            for (int item = 0; item < 37; item++)
            {
                Assert.Equal(item < phase % 37 ? 1 : 0, counts[phase, item]);
            }
        }
    }

    [Fact]
    public void Barrier_BetweenPhases_LetsEveryThreadSeeWhatOthersWrote()
    {
        using var team = new ComputeTeam(4);
        var written = new int[4];
        bool ok = true;
        team.Run(new Work(thread =>
        {
            for (int phase = 1; phase <= 500; phase++)
            {
                written[thread] = phase;
                team.Barrier(thread);
                if (written.Any(w => w != phase))
                {
                    Volatile.Write(ref ok, false);
                }

                team.Barrier(thread);
            }
        }));
        Assert.True(ok);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Run_WhenAThreadThrows_ThrowsItAndStaysUsable(int failing)
    {
        using var team = new ComputeTeam(3);
        var work = new Work(thread =>
        {
            team.Barrier(thread);
            if (thread == failing)
            {
                throw new InvalidOperationException("the third item is odd");
            }

            team.Barrier(thread);
        });
        Assert.Equal("the third item is odd", Assert.Throws<InvalidOperationException>(() => team.Run(work)).Message);
        int ran = 0;
        team.Run(new Work(thread =>
        {
            team.Barrier(thread);
            Interlocked.Increment(ref ran);
        }));
        Assert.Equal(3, ran);
    }

    [Fact]
    public void Run_OfTwoTeamsAtOnce_TakesTurns()
    {
        using var first = new ComputeTeam(2);
        using var second = new ComputeTeam(2);
        int inside = 0, overlaps = 0;
        void Many(ComputeTeam team)
        {
            for (int i = 0; i < 50; i++)
            {
                team.Run(new Work(thread =>
                {
                    if (thread == 0 && Interlocked.Increment(ref inside) != 1)
                    {
                        Interlocked.Increment(ref overlaps);
                    }

                    team.Barrier(thread);
                    team.Barrier(thread);
                    if (thread == 0)
                    {
                        Interlocked.Decrement(ref inside);
                    }
                }));
            }
        }

        var other = new Thread(() => Many(second));
        other.Start();
        Many(first);
        other.Join();
        Assert.Equal(0, overlaps);
    }

    [Fact]
    public void Run_AfterDispose_Throws()
    {
        var team = new ComputeTeam(2);
        team.Run(new Work(_ => { }));
        team.Dispose();
        team.Dispose();
        Assert.Throws<ObjectDisposedException>(() => team.Run(new Work(_ => { })));
    }

    private sealed class Work(Action<int> action) : ITeamWork
    {
        public void Execute(int thread) => action(thread);
    }
}
