using Ulmfit.Pipeline.Drift;

namespace Ulmfit.Pipeline.Tests.Drift;

public sealed class DriftDayTests
{
    private static readonly DateOnly Day = new(2026, 1, 31);
    private static readonly DriftReference Reference = new(DriftSource.HeldOut, [new("complaint", 100), new("praise", 300)], 0.01, 0.05);
    private static readonly DriftOptions Options = new() { PopulationStability = 0.2, UnknownWords = 0.1, MinimumTexts = 200 };

    [Fact]
    public void Of_WhatItWasTrainedFor_RaisesNoAlarm()
    {
        var day = DriftDay.Of(Day, Counts(complaints: 100, praise: 300, unknown: 0.05), Reference, Options);

        Assert.Equal(0, day.PopulationStability!.Value, 3);
        Assert.Equal(0.05, day.UnknownRate!.Value, 6);
        Assert.Empty(day.Alarms);
        Assert.Equal((Day, 400L, 400L), (day.Day, day.Requests, day.Texts));
        Assert.Equal([new("complaint", 100), new("praise", 300)], day.Classes);
    }

    [Fact]
    public void Of_OtherClasses_RaisesTheirAlarmAndNamesWhatHasShifted()
    {
        var day = DriftDay.Of(Day, Counts(complaints: 300, praise: 100, unknown: 0.05), Reference, Options);

        Assert.Equal([DriftAlarm.PopulationStability], day.Alarms);
        Assert.Equal(0.5 * Math.Log(3) * 2, day.PopulationStability!.Value, 0.02);
        Assert.True(day.ByChance < day.PopulationStability);
        Assert.Equal(0.75, day.Shifts.Single(shift => shift.Label == "complaint").Share);
        Assert.Equal(0.25, day.Shifts.Single(shift => shift.Label == "complaint").Reference, 0.01);
    }

    [Theory]
    [InlineData(0.14, false)]
    [InlineData(0.16, true)]
    public void Of_MoreUnknownWordsThanHeldOutTextHas_RaisesTheirAlarmFromTheThresholdOn(double unknown, bool alarm)
    {
        var day = DriftDay.Of(Day, Counts(complaints: 100, praise: 300, unknown), Reference, Options);

        Assert.Equal(alarm ? [DriftAlarm.UnknownWords] : [], day.Alarms);
    }

    [Theory]
    [InlineData(199, false)]
    [InlineData(200, true)]
    public void Of_FewerTextsThanTheMinimum_RaisesNone(int texts, bool alarm)
    {
        var day = DriftDay.Of(Day, Counts(complaints: texts, praise: 0, unknown: 0.9), Reference, Options);

        Assert.Equal(alarm ? [DriftAlarm.PopulationStability, DriftAlarm.UnknownWords] : [], day.Alarms);
    }

    // Each of 77 classes comes or comes not among 200 texts: the index is beyond 0.2, and chance does the same.
    [Fact]
    public void Of_ManyClassesAndFewTexts_TakesChanceForNoShift()
    {
        var random = new Random(1);
        var reference = new DriftReference(DriftSource.HeldOut, [.. Enumerable.Range(0, 77).Select(c => new ClassFrequency($"{c}", 3))], 0, 0);
        ILookup<int, int> drawn = Enumerable.Range(0, 200).Select(_ => random.Next(77)).ToLookup(c => c);
        var counts = new ServedCounts(200, 200, 400, 400, 0, [.. drawn.Select(c => new ClassFrequency($"{c.Key}", c.Count()))]);

        var day = DriftDay.Of(Day, counts, reference, Options);

        Assert.True(day.PopulationStability > Options.PopulationStability, $"{day.PopulationStability}");
        Assert.Empty(day.Alarms);
    }

    [Fact]
    public void Of_ModelWithoutAReference_HasCountsAndNoAlarm()
    {
        var day = DriftDay.Of(Day, Counts(complaints: 400, praise: 0, unknown: 0.9), null, Options);

        Assert.Equal((null, null, 0.9), (day.PopulationStability, day.ByChance, Math.Round(day.UnknownRate!.Value, 6)));
        Assert.Empty(day.Alarms);
        Assert.Equal(400, day.Texts);
    }

    [Fact]
    public void Of_NothingCounted_IsNoNumberTooMany()
    {
        var day = DriftDay.Of(Day, ServedCounts.None, Reference, Options);

        Assert.Null(day.UnknownRate);
        Assert.Equal(0, day.PopulationStability!.Value, 12);
        Assert.Empty(day.Shifts);
    }

    private static ServedCounts Counts(int complaints, int praise, double unknown)
    {
        int texts = complaints + praise;
        return new ServedCounts(texts, texts, 1200L * texts, 1000L * texts, (long)(1000L * texts * unknown), [new("praise", praise), new("complaint", complaints)]);
    }
}
