using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Ulmfit.Diagnostics;
using Ulmfit.Training;

namespace Ulmfit.Tests.Diagnostics;

public sealed class UlmfitMeterTests
{
    [Fact]
    public void Serving_OneRequest_IsMeasuredWithModelVersionAndOutcome()
    {
        using var heard = new Measurements("serving-one");
        var model = new ModelAttributes("serving-one", 2);

        ServingMeter.Load(model, TimeSpan.FromSeconds(0.5));
        ServingMeter.Serve(model);
        ServingMeter.Enqueue(model, 3);
        ServingMeter.Dequeue(model, 3, TimeSpan.FromMilliseconds(1));
        ServingMeter.RecordRun(model, texts: 3, TimeSpan.FromMilliseconds(7));
        ServingMeter.RecordTexts(model, texts: 3, tokens: 40);
        ServingMeter.EndRequest(model, RequestOutcome.Answered, TimeSpan.FromMilliseconds(9));
        ServingMeter.Unload(model);

        Assert.Equal(0.5, heard["ulmfit.model.load.duration{ulmfit.model.version=2,ulmfit.outcome=loaded}"]);
        Assert.Equal(0, heard["ulmfit.model.loaded{ulmfit.model.version=2}"]);
        Assert.Equal(2, heard["ulmfit.model.champion{}"]);
        Assert.Equal(0, heard["ulmfit.classify.queue.length{}"]);
        Assert.Equal(0.001, heard["ulmfit.classify.queue.duration{}"]);
        Assert.Equal(3, heard["ulmfit.classify.texts{ulmfit.model.version=2}"]);
        Assert.Equal(40, heard["ulmfit.classify.tokens{ulmfit.model.version=2}"]);
        Assert.Equal(3, heard["ulmfit.classify.batch.size{ulmfit.model.version=2}"]);
        Assert.Equal(0.007, heard["ulmfit.classify.compute.duration{ulmfit.model.version=2}"]);
        Assert.Equal(1, heard["ulmfit.classify.requests{ulmfit.model.version=2,ulmfit.outcome=answered}"]);
        Assert.Equal(0.009, heard["ulmfit.classify.duration{ulmfit.model.version=2,ulmfit.outcome=answered}"]);
    }

    [Theory]
    [InlineData(RequestOutcome.Invalid, "invalid")]
    [InlineData(RequestOutcome.NotFound, "not_found")]
    [InlineData(RequestOutcome.Throttled, "throttled")]
    [InlineData(RequestOutcome.Canceled, "canceled")]
    [InlineData(RequestOutcome.Failed, "failed")]
    public void EndRequest_WithoutModel_NamesTheOutcomeAlone(RequestOutcome outcome, string name)
    {
        using var heard = new Measurements(null);

        ServingMeter.EndRequest(null, outcome, TimeSpan.FromMilliseconds(1));

        Assert.Equal(1, heard[$"ulmfit.classify.requests{{ulmfit.outcome={name}}}"]);
    }

    [Fact]
    public void Training_StepsEpochsAndRuns_AreMeasuredByDirectionAndPhase()
    {
        using var heard = new Measurements("training-one");

        TrainingMeter.RecordSteps("training-one", Direction.Backward, TrainingPhase.LanguageModel, 4, 1000, 5.5, 9000);
        TrainingMeter.RecordEpoch("training-one", Direction.Backward, TrainingPhase.LanguageModel, 5, 4.5, TimeSpan.FromSeconds(12));
        TrainingMeter.EndRun("training-one", "completed", TimeSpan.FromSeconds(30));

        const string Of = "{ulmfit.direction=backward,ulmfit.phase=language_model}";
        Assert.Equal(4, heard["ulmfit.training.steps" + Of]);
        Assert.Equal(1000, heard["ulmfit.training.tokens" + Of]);
        Assert.Equal(9000, heard["ulmfit.training.throughput" + Of]);
        Assert.Equal(5.5 + 5, heard["ulmfit.training.loss{ulmfit.direction=backward,ulmfit.phase=language_model,ulmfit.set=train}"]);
        Assert.Equal(4.5, heard["ulmfit.training.loss{ulmfit.direction=backward,ulmfit.phase=language_model,ulmfit.set=held_out}"]);
        Assert.Equal(1, heard["ulmfit.training.epochs" + Of]);
        Assert.Equal(12, heard["ulmfit.training.epoch.duration" + Of]);
        Assert.Equal(1, heard["ulmfit.training.runs{ulmfit.outcome=completed}"]);
        Assert.Equal(30, heard["ulmfit.training.run.duration{ulmfit.outcome=completed}"]);
    }

    [Fact]
    public void RecordSteps_LossThatIsNoNumber_IsNotMeasured()
    {
        using var heard = new Measurements("training-diverged");

        TrainingMeter.RecordSteps("training-diverged", Direction.Forward, TrainingPhase.Classifier, 1, 10, double.NaN, 1);

        Assert.DoesNotContain(heard.Lines, line => line.StartsWith("ulmfit.training.loss", StringComparison.Ordinal));
    }

    [Fact]
    public void Instruments_AllOfTheMeter_FollowTheNamingConventions()
    {
        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == UlmfitMeter.Name)
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();

        // The first use of each class makes its instruments.
        ServingMeter.EndRequest(null, RequestOutcome.Answered, TimeSpan.Zero);
        TrainingMeter.EndRun("naming", "failed", null);
        DriftMeter.Record(new ModelAttributes("naming", 1), 0, 0);
        FeedbackMeter.Record("naming", 0);

        Assert.True(instruments.Count > 20);
        Assert.Equal(instruments.Count, instruments.Select(i => i.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(instruments, instrument =>
        {
            Assert.Matches(new Regex(@"\Aulmfit(\.[a-z]+(_[a-z]+)*)+\z"), instrument.Name);
            Assert.Matches(new Regex(@"\A(s|1|\{[a-z]+\}(/s)?)\z"), instrument.Unit!);
            Assert.EndsWith(".", instrument.Description!, StringComparison.Ordinal);
        });
    }
}
