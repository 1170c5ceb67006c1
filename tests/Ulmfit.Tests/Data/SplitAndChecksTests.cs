using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Ulmfit.Data;

namespace Ulmfit.Tests.Data;

public sealed class SplitAndChecksTests
{
    [Fact]
    public void TextDigest_Text_IsSha256OfTheTextWithWhiteSpaceCollapsed()
    {
        string expected = Convert.ToHexStringLower(SHA256.HashData("a b é"u8));

        Assert.Equal(expected, TextDigest.Of("a b é"));
        Assert.Equal(expected, TextDigest.Of("  a \t\r\n b\u00A0é \n"));
        Assert.NotEqual(expected, TextDigest.Of("a b e\u0301"));
        Assert.NotEqual(expected, TextDigest.Of("A b é"));
        Assert.Equal("a b é", TextDigest.Normalize(" a  b\né "));
    }

    // python: int.from_bytes(hashlib.sha256(b"a b").digest()[:8], "big") / 2**64
    // with seed 7: hashlib.sha256((7).to_bytes(8, "little") + b"a b")
    [Theory]
    [InlineData("the quick brown fox", null, 0.6202882728714549)]
    [InlineData("the quick brown fox", 7UL, 0.7552267198884807)]
    [InlineData("a b", null, 0.7828441878467538)]
    [InlineData("a b", 7UL, 0.4662609116196449)]
    public void IsHeldOut_KnownText_FollowsItsDigest(string text, ulong? seed, double position)
    {
        Assert.False(HeldOutSplit.IsHeldOut(text, position - 1e-12, seed));
        Assert.True(HeldOutSplit.IsHeldOut(text, position + 1e-12, seed));
    }

    [Fact]
    public void IsHeldOut_AnyText_NeverMovesAndGrowsWithTheFraction()
    {
        Prop.ForAll<NonNull<string>>(text =>
        {
            string t = text.Get;
            Assert.False(HeldOutSplit.IsHeldOut(t, 0));
            Assert.True(HeldOutSplit.IsHeldOut(t, 1));
            Assert.Equal(HeldOutSplit.IsHeldOut(t, 0.3), HeldOutSplit.IsHeldOut($" \n{t}\t ", 0.3));
            Assert.True(!HeldOutSplit.IsHeldOut(t, 0.2) || HeldOutSplit.IsHeldOut(t, 0.4));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void IsHeldOut_ManyTexts_HoldsOutTheShareAndTheSeedChoosesAnother()
    {
        string[] texts = [.. Enumerable.Range(0, 10_000).Select(i => $"text number {i}")];
        bool[] usual = [.. texts.Select(t => HeldOutSplit.IsHeldOut(t, 0.2))];
        bool[] seeded = [.. texts.Select(t => HeldOutSplit.IsHeldOut(t, 0.2, 7))];

        Assert.InRange(usual.Count(h => h), 1850, 2150);
        Assert.InRange(seeded.Count(h => h), 1850, 2150);
        Assert.InRange(usual.Zip(seeded).Count(p => p.First != p.Second), 2900, 3500);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void IsHeldOut_FractionOutsideItsRange_Throws(double fraction)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => HeldOutSplit.IsHeldOut("a", fraction));
    }

    [Fact]
    public void Deduplicate_SameTextAndLabel_IsKeptOnce()
    {
        DeduplicationResult result = Deduplication.Apply([Row("a.csv", "good film", "pos", 2), Row("b.csv", " good  film", "pos", 9), Row("b.csv", "bad", "neg", 10)]);

        Assert.Equal([("a.csv", 2L), ("b.csv", 10L)], result.Rows.Select(r => (r.File, r.Row.Line)));
        Assert.Empty(result.Rejected);
        Assert.Equal(1, result.DuplicateCount);
    }

    [Fact]
    public void Deduplicate_SameTextOtherLabel_RejectsAllItsRowsAndNamesTheOther()
    {
        DeduplicationResult result = Deduplication.Apply(
            [Row("a.csv", "so so", "pos", 2), Row("a.csv", "so so", "pos", 3), Row("b.csv", "so so", "neg", 4), Row("b.csv", "fine", "pos", 5)]);

        Assert.Equal([5L], result.Rows.Select(r => r.Row.Line));
        Assert.Equal([2L, 3L, 4L], result.Rejected.Select(r => r.Line));
        Assert.Equal("The text has the label 'pos' here and 'neg' in line 4 of b.csv.", result.Rejected[0].Reason);
        Assert.Equal("The text has the label 'neg' here and 'pos' in line 2 of a.csv.", result.Rejected[2].Reason);
        Assert.Equal(0, result.DuplicateCount);
    }

    [Fact]
    public void Deduplicate_TextThatWasCorrected_HasTheLabelOfTheLastCorrectionWhateverTheOthersSay()
    {
        SourcedRow[] rows =
        [
            Row("a.csv", "so so", "pos", 2), Row("b.csv", "so so", "neg", 3), Corrected("so so", "mixed", 1, hour: 1), Corrected(" so  so", "odd", 2, hour: 3),
            Corrected("so so", "pos", 3, hour: 2), Row("z.csv", "so so", "odd", 4), Row("z.csv", "fine", "pos", 5),
        ];

        // The order of files and rows is nothing that counts.
        foreach (SourcedRow[] order in (SourcedRow[][])[rows, [.. rows.Reverse()], [.. rows.OrderBy(row => row.Row.Label, StringComparer.Ordinal)]])
        {
            DeduplicationResult result = Deduplication.Apply(order);

            Assert.Equal([("fine", "pos"), ("so so", "odd")], result.Rows.Select(r => (TextDigest.Normalize(r.Row.Text), r.Row.Label)).Order());
            Assert.Empty(result.Rejected);
            Assert.Equal((1, 4), (result.DuplicateCount, result.CorrectedCount));
        }
    }

    [Fact]
    public void Deduplicate_CorrectionsOfOneInstantThatContradictEachOther_AreRejectedWithAllRowsOfTheText()
    {
        DeduplicationResult result = Deduplication.Apply([Row("a.csv", "so so", "pos", 2), Corrected("so so", "neg", 1, hour: 1), Corrected("so so", "odd", 2, hour: 1)]);

        Assert.Empty(result.Rows);
        Assert.Equal(3, result.Rejected.Count);
    }

    [Fact]
    public void Check_SmallClass_IsLeftOutWithTheReason()
    {
        DatasetReport report = DatasetChecks.Check(
            [.. Enumerable.Range(1, 6).Select(i => Row("a", $"t{i}", "pos", i)), .. Enumerable.Range(7, 6).Select(i => Row("a", $"t{i}", "neg", i)), Row("a", "t", "odd", 13)]);

        Assert.Empty(report.Problems);
        Assert.Equal(12, report.Rows.Count);
        Assert.Equal("The label 'odd' has 1 of the 2 rows that a label needs.", Assert.Single(report.Rejected).Reason);
        Assert.Equal([("neg", 6), ("pos", 6)], report.LabelCounts.Select(p => (p.Key, p.Value)));
    }

    [Fact]
    public void Check_OneClassOrTooFewRows_SaysSo()
    {
        DatasetReport report = DatasetChecks.Check(Enumerable.Range(1, 4).Reverse().Select(i => Row("a", $"t{i}", "pos", i)));

        Assert.Equal(
            ["There are 4 usable rows; at least 10 are needed.", "There is only the label 'pos' (first in a, line 1) with enough rows; at least 2 labels are needed."],
            report.Problems);
        Assert.Equal(2, DatasetChecks.Check([]).Problems.Count);
    }

    private static SourcedRow Row(string file, string text, string label, long line) => new(file, new LabeledRow(text, label, line));

    private static SourcedRow Corrected(string text, string label, long line, int hour) =>
        new("feedback.jsonl", new LabeledRow(text, label, line) { CorrectedAt = new DateTimeOffset(2026, 1, 1, hour, 0, 0, TimeSpan.Zero) });
}
