using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Ulmfit.Cpu;
using Ulmfit.Functions.Http;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests.Faults;

/// <summary>A disk that is full or read-only for a while: told, waited for, and no run lost.</summary>
public sealed class FullDiskTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StorageFailure.Full)]
    [InlineData(StorageFailure.ReadOnly)]
    public async Task Run_StorageThatCannotBeWrittenForAWhile_WaitsSaysWhyAndGoesOnByItself(StorageFailure failure)
    {
        using var engine = new CpuTrainingEngine(1);
        string undisturbed;
        using (var calm = new FaultSchedule(FaultPlan.Undisturbed(bothDirections: false, secondDropAfter: null), engine))
        {
            undisturbed = await calm.RunAsync(Ct);
        }

        using var schedule = new FaultSchedule(FaultPlan.Undisturbed(bothDirections: false, secondDropAfter: null), engine);

        // From the middle of the training on.
        schedule.Store.UnwritableAfter = (Containers.State, $"steps/{FaultSchedule.Dataset}/", failure);
        string ended = await schedule.RunAsync(
            async app =>
            {
                RunWait? wait = null;
                await Wait.UntilAsync(() => Task.FromResult((wait = app.Get<RunWaits>().Find(FaultSchedule.Dataset)) is not null), () => "the run waits");
                Assert.Equal(failure, wait!.Failure);
                Assert.Contains(failure == StorageFailure.Full ? "No space left" : "denied", wait.Reason, StringComparison.Ordinal);
                Assert.Equal(RunStatus.Running, (await app.Get<RunRegistry>().GetAsync(new RunId(FaultSchedule.Dataset, 1), Ct)).Status);
                schedule.Store.Unwritable = null;
            },
            Ct);

        Assert.Equal(undisturbed, ended);
        Assert.Null(schedule.Waiting);
    }

    [Theory]
    [InlineData(28, 507, "urn:ulmfit:problem:storage-full")]
    [InlineData(30, 503, "urn:ulmfit:problem:storage-read-only")]
    public async Task HandleAsync_StorageThatCannotBeWritten_IsAProblemThatSaysSo(int error, int status, string type)
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider() };
        using var body = new MemoryStream();
        context.Response.Body = body;
        var guard = new ApiGuard(NullLogger<ApiGuard>.Instance);

        IResult result = await guard.HandleAsync(context.Request, _ => throw new IOException("The disk is what it is.", error));
        await result.ExecuteAsync(context);

        Assert.Equal(status, context.Response.StatusCode);
        using JsonDocument problem = JsonDocument.Parse(body.ToArray());
        Assert.Equal(type, problem.RootElement.GetProperty("type").GetString());
        Assert.Equal("The disk is what it is.", problem.RootElement.GetProperty("detail").GetString());
    }
}
