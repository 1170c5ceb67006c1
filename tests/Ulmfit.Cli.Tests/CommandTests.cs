using System.Diagnostics;
using System.Text.Json;

namespace Ulmfit.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Train_ThenEvaluateThenClassify_WorkOnTheSameFolder()
    {
        string[] train = ["train", "--data", workspace.Data, "--test", workspace.Test, "--settings", workspace.Settings, "--out", workspace["model"], "--json", workspace["train.json"]];
        (int code, string output, string error) = await CommandLine.RunAsync(train);

        Assert.True(code == 0, error);
        Assert.Contains("forward   lm", output, StringComparison.Ordinal);
        Assert.Contains("backward  all", output, StringComparison.Ordinal);
        Assert.Contains("accuracy", output, StringComparison.Ordinal);
        Assert.Equal(["card.json", "labels.json", "model.onnx", "report.html", "report.json", "vocabulary.json"], Directory.GetFiles(workspace["model"]).Select(Path.GetFileName).Order());
        JsonElement trained = Json("train.json");
        Assert.True(trained.GetProperty("accuracy").GetDouble() >= 0.7, trained.ToString());
        Assert.Equal(64, trained.GetProperty("weightsDigest").GetString()!.Length);
        Assert.Equal(2, trained.GetProperty("perClass").GetArrayLength());

        Assert.Equal(0, (await CommandLine.RunAsync("evaluate", "--model", workspace["model"], "--data", workspace.Test, "--json", workspace["evaluate.json"])).ExitCode);
        Assert.Equal(trained.GetProperty("accuracy").GetDouble(), Json("evaluate.json").GetProperty("accuracy").GetDouble());
        Assert.Equal(trained.GetProperty("macroF1").GetDouble(), Json("evaluate.json").GetProperty("macroF1").GetDouble());

        // The folder's classifier scales as the training scored: the same loss, to the bit.
        Assert.Contains("temperature ", output, StringComparison.Ordinal);
        JsonElement calibration = Json("model/card.json").GetProperty("calibration");
        Assert.Equal(calibration.ToString(), trained.GetProperty("calibration").ToString());
        Assert.NotEqual(1, calibration.GetProperty("temperature").GetDouble());
        Assert.True(calibration.GetProperty("after").GetProperty("logLoss").GetDouble() < calibration.GetProperty("before").GetProperty("logLoss").GetDouble(), calibration.ToString());
        Assert.Equal(trained.GetProperty("logLoss").GetDouble(), Json("evaluate.json").GetProperty("logLoss").GetDouble());
        Assert.Equal(trained.GetProperty("expectedCalibrationError").GetDouble(), Json("evaluate.json").GetProperty("expectedCalibrationError").GetDouble());

        Assert.Equal(0, (await CommandLine.RunAsync("evaluate", "--model", workspace["model"], "--data", workspace.Test, "--int8", "--json", workspace["int8.json"])).ExitCode);
        double exact = trained.GetProperty("logLoss").GetDouble(), quantised = Json("int8.json").GetProperty("logLoss").GetDouble();
        Assert.NotEqual(exact, quantised);
        Assert.Equal(exact, quantised, 0.05);

        JsonElement report = Json("model/report.json");
        Assert.Equal(["test", "held-out"], report.GetProperty("scores").EnumerateArray().Select(scores => scores.GetProperty("rows").GetString()));
        Assert.Equal(trained.GetProperty("accuracy").GetDouble(), report.GetProperty("scores")[0].GetProperty("metrics").GetProperty("accuracy").GetDouble());
        Assert.Equal("test.csv", report.GetProperty("scores")[0].GetProperty("source").GetString());
        Assert.Equal(20, report.GetProperty("scores")[0].GetProperty("hardest").GetArrayLength());
        Assert.Equal(trained.GetProperty("weightsDigest").GetString(), report.GetProperty("weightsDigest").GetString());
        Assert.Equal(["forward", "backward"], report.GetProperty("directions").EnumerateArray().Select(direction => direction.GetProperty("direction").GetString()));
        Assert.All(report.GetProperty("directions")[1].GetProperty("epochs").EnumerateArray(), epoch => Assert.NotEqual(0, epoch.GetProperty("curve").GetArrayLength()));
        Assert.Contains("Scores on test rows", File.ReadAllText(workspace["model/report.html"]), StringComparison.Ordinal);

        Assert.Equal(0, (await CommandLine.RunAsync("evaluate", "--model", workspace["model"], "--data", workspace.Data, "--report", workspace["again.html"], "--hardest-examples", "3")).ExitCode);
        JsonElement again = Json("again.json");
        Assert.Equal("train.csv", again.GetProperty("scores")[0].GetProperty("source").GetString());
        Assert.Equal(120, again.GetProperty("scores")[0].GetProperty("metrics").GetProperty("count").GetInt32());
        Assert.Equal(3, again.GetProperty("scores")[0].GetProperty("hardest").GetArrayLength());
        Assert.Equal("held-out", Assert.Single(again.GetProperty("scores").EnumerateArray().Skip(1)).GetProperty("rows").GetString());
        Assert.Equal(report.GetProperty("directions").ToString(), again.GetProperty("directions").ToString());

        string texts = workspace.Write("texts.txt", "may I have some apples 7\nsnow today\n");
        (code, output, _) = await CommandLine.RunAsync("classify", "--model", workspace["model"], "--data", texts, "--top-k", "1");
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, code);
        Assert.Equal(["may I have some apples 7", "snow today"], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()));
        Assert.All(lines, line => Assert.Equal(1, JsonDocument.Parse(line).RootElement.GetProperty("predictions").GetArrayLength()));

        (code, output, _) = await CommandLine.RunAsync("classify", "--model", workspace["model"], "--data", texts, "--top-k", "1", "--threshold", "1");
        Assert.Equal(0, code);
        Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line =>
        {
            JsonElement predictions = JsonDocument.Parse(line).RootElement.GetProperty("predictions");
            Assert.Equal((2, JsonValueKind.Null), (predictions.GetArrayLength(), predictions[0].GetProperty("label").ValueKind));
        });
        Assert.Equal(2, (await CommandLine.RunAsync("classify", "--model", workspace["model"], "--threshold", "1.5", "some")).ExitCode);

        (code, output, _) = await CommandLine.RunAsync("classify", "--model", workspace["model"], "may I have some apples 7");
        Assert.Equal(0, code);
        Assert.Contains("fruit", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_KilledInTheMiddleAndRepeatedOnOtherThreads_GivesTheSameWeights()
    {
        string[] Train(string folder, string threads) => ["train", "--data", workspace.Data, "--settings", workspace.Settings, "--out", workspace[folder], "--json", workspace[folder + ".json"], "--threads", threads];
        Assert.Equal(0, (await CommandLine.RunAsync(Train("whole", "1"))).ExitCode);
        using (Process process = CommandLine.Start(Train("killed", "2")))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("last-3", StringComparison.Ordinal))
            {
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (int code, string output, string error) = await CommandLine.RunAsync(Train("killed", "3"));

        Assert.True(code == 0, error);
        Assert.Contains("forward: going on after", output, StringComparison.Ordinal);
        Assert.Equal(Json("whole.json").GetProperty("weightsDigest").GetString(), Json("killed.json").GetProperty("weightsDigest").GetString());
        Assert.Equal(Course("whole/report.json"), Course("killed/report.json"));
        Assert.Equal(Json("whole/report.json").GetProperty("scores").ToString(), Json("killed/report.json").GetProperty("scores").ToString());
        Assert.True(File.Exists(workspace["killed/report.html"]));

        // Everything but the seconds.
        string[] Course(string report) =>
        [
            .. Json(report).GetProperty("directions").EnumerateArray().SelectMany(direction => direction.GetProperty("epochs").EnumerateArray())
                .Select(epoch => $"{epoch.GetProperty("stage")} {epoch.GetProperty("trainLoss")} {epoch.GetProperty("heldOutLoss")} {epoch.GetProperty("curve")}"),
        ];
    }

    [Fact]
    public async Task Train_MethodLstmKilledInTheMiddle_GivesTheWeightsOfAnUndisturbedRunAndServesThem()
    {
        string settings = workspace.Write("lstm.json", """{"method": "lstm", "minimumCount": 1, "heldOutFraction": 0.1, "classifier": {"batch": 8, "learningRate": 0.01}}""");
        string[] Train(string folder, string threads) => [
            "train", "--data", workspace.Data, "--test", workspace.Test, "--settings", settings, "--out", workspace[folder], "--json", workspace[folder + ".json"], "--threads", threads];
        (int code, string output, string error) = await CommandLine.RunAsync(Train("whole", "1"));
        Assert.True(code == 0, error);
        Assert.Contains("backward  classifier", output, StringComparison.Ordinal);
        Assert.Contains("10/10", output, StringComparison.Ordinal);
        Assert.DoesNotContain(" lm ", output, StringComparison.Ordinal);
        Assert.True(Json("whole.json").GetProperty("accuracy").GetDouble() >= 0.7, output);
        using (Process process = CommandLine.Start(Train("killed", "2")))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("4/10", StringComparison.Ordinal))
            {
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (code, output, error) = await CommandLine.RunAsync(Train("killed", "3"));
        Assert.True(code == 0, error);
        Assert.Contains("forward: going on after", output, StringComparison.Ordinal);
        Assert.Equal(Json("whole.json").GetProperty("weightsDigest").GetString(), Json("killed.json").GetProperty("weightsDigest").GetString());

        Assert.Equal(0, (await CommandLine.RunAsync("evaluate", "--model", workspace["killed"], "--data", workspace.Test, "--json", workspace["evaluate.json"])).ExitCode);
        Assert.Equal(Json("whole.json").GetProperty("accuracy").GetDouble(), Json("evaluate.json").GetProperty("accuracy").GetDouble());

        (code, _, error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--from", workspace["whole"], "--out", workspace["third"]);
        Assert.NotEqual(0, code);
        Assert.Contains("plain LSTM classifier", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_MethodLstm_IsAnOptionToo()
    {
        (int code, string output, string error) = await CommandLine.RunAsync(
            "train", "--data", workspace.Data, "--method", "lstm", "--direction", "backward", "--schedule", "cosine", "--out", workspace["model"], "--json", workspace["train.json"]);

        Assert.True(code == 0, error);
        Assert.Contains("backward  classifier", output, StringComparison.Ordinal);
        Assert.DoesNotContain("forward", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", "both")]
    [InlineData("pca", "forward")]
    [InlineData("lda", "backward")]
    public async Task Train_MethodFeatures_GivesTheSameWeightsOnAnyProcessorsAndServesThem(string reduction, string direction)
    {
        string settings = workspace.Write("features.json", """{"method": "features", "pretrained": "none", "minimumCount": 1, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 9}}""");
        string[] Train(string folder, string threads) => [
            "train", "--data", workspace.Data, "--test", workspace.Test, "--settings", settings, "--reduction", reduction, "--direction", direction,
            "--out", workspace[folder], "--json", workspace[folder + ".json"], "--threads", threads];
        (int code, string output, string error) = await CommandLine.RunAsync("DOTNET_PROCESSOR_COUNT=1", Train("one", "1"));
        Assert.True(code == 0, error);
        Assert.Contains("features        1/1", output, StringComparison.Ordinal);

        (code, _, error) = await CommandLine.RunAsync("DOTNET_PROCESSOR_COUNT=4", Train("four", "3"));
        Assert.True(code == 0, error);
        Assert.Equal(Json("one.json").GetProperty("weightsDigest").GetString(), Json("four.json").GetProperty("weightsDigest").GetString());

        Assert.Equal(0, (await CommandLine.RunAsync("evaluate", "--model", workspace["four"], "--data", workspace.Test, "--json", workspace["evaluate.json"])).ExitCode);
        Assert.Equal(Json("one.json").GetProperty("accuracy").GetDouble(), Json("evaluate.json").GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public async Task Train_MethodFeaturesAndAnEarlierModel_UseEachOthersEncoder()
    {
        string[] train = ["train", "--data", workspace.Data, "--direction", "forward", "--no-lm-finetuning"];
        Assert.Equal(0, (await CommandLine.RunAsync([.. train, "--settings", workspace.Settings, "--strategy", "full", "--out", workspace["ulmfit"]])).ExitCode);

        (int code, string output, string error) = await CommandLine.RunAsync([.. train, "--method", "features", "--from", workspace["ulmfit"], "--out", workspace["features"], "--json", workspace["features.json"]]);
        Assert.True(code == 0, error);
        Assert.Contains("its encoder is kept", output, StringComparison.Ordinal);
        Assert.True(Json("features.json").GetProperty("accuracy").GetDouble() >= 0.7, output);

        (code, output, error) = await CommandLine.RunAsync([.. train, "--settings", workspace.Settings, "--strategy", "last", "--from", workspace["features"], "--out", workspace["again"]]);
        Assert.True(code == 0, error);
        Assert.Contains("its encoder is kept", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_FolderOfAnotherUnfinishedRun_IsRefused()
    {
        using (Process process = CommandLine.Start("train", "--data", workspace.Data, "--settings", workspace.Settings, "--out", workspace["model"]))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line && !line.Contains("lm", StringComparison.Ordinal))
            {
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (int code, _, string error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--settings", workspace.Settings, "--out", workspace["model"], "--seed", "7");

        Assert.Equal(2, code);
        Assert.Contains("unfinished training", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_FromAnEarlierModel_SaysWhetherItsOutputLayerIsKept()
    {
        string[] train = ["train", "--data", workspace.Data, "--settings", workspace.Settings, "--direction", "forward", "--no-lm-finetuning", "--strategy", "full"];
        Assert.Equal(0, (await CommandLine.RunAsync([.. train, "--out", workspace["first"], "--early-stopping", "3"])).ExitCode);

        (int code, string output, string error) = await CommandLine.RunAsync([.. train, "--from", workspace["first"], "--out", workspace["second"], "--json", workspace["second.json"]]);
        Assert.True(code == 0, error);
        Assert.Contains("the labels are the same: its output layer is kept", output, StringComparison.Ordinal);
        Assert.True(Json("second.json").GetProperty("accuracy").GetDouble() >= 0.7, output);

        string three = workspace.Write("three.csv", File.ReadAllText(workspace.Data) + string.Concat(Enumerable.Range(0, 20).Select(i => $"\n\"a zebra and {i} more animals\",animals")));
        (code, output, error) = await CommandLine.RunAsync("train", "--data", three, "--settings", workspace.Settings, "--direction", "forward", "--strategy", "last", "--from", workspace["second"], "--out", workspace["third"]);
        Assert.True(code == 0, error);
        Assert.Contains("other labels (its are fruit, weather): the output layer is a new one", output, StringComparison.Ordinal);
        Assert.Contains("animals", File.ReadAllText(Path.Combine(workspace["third"], "labels.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_WithTeachers_JoinsTheTextsThatTheyAreSurestOf()
    {
        string texts = workspace.Write("texts.txt", string.Join('\n', Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? $"ripe pears and plums {i}" : $"snow and wind and fog {i}")));
        string[] train = ["train", "--data", workspace.Data, "--settings", workspace.Settings, "--direction", "forward", "--strategy", "full"];
        Assert.Equal(0, (await CommandLine.RunAsync([.. train, "--out", workspace["one"]])).ExitCode);
        Assert.Equal(0, (await CommandLine.RunAsync([.. train, "--seed", "7", "--out", workspace["two"]])).ExitCode);
        string[] again = [.. train, "--unlabeled", texts, "--teacher", workspace["one"], "--teacher", workspace["two"]];

        (int code, string output, string error) = await CommandLine.RunAsync([.. again, "--out", workspace["student"], "--json", workspace["student.json"]]);

        Assert.True(code == 0, error);
        Assert.Contains($"of the texts without label 20 are trained on as {workspace["one"]} and {workspace["two"]} label them: fruit 10, weather 10", output, StringComparison.Ordinal);
        Assert.Equal(Json("one/card.json").GetProperty("trainRows").GetInt32() + 20, Json("student/card.json").GetProperty("trainRows").GetInt32());
        Assert.Equal(20, Json("student/report.json").GetProperty("data").GetProperty("unlabeledTexts").GetInt32());
        Assert.Equal(0, (await CommandLine.RunAsync([.. again, "--out", workspace["student-2"], "--json", workspace["student-2.json"]])).ExitCode);
        Assert.Equal(Json("student.json").GetProperty("weightsDigest").GetString(), Json("student-2.json").GetProperty("weightsDigest").GetString());

        string three = workspace.Write("three.csv", File.ReadAllText(workspace.Data) + string.Concat(Enumerable.Range(0, 20).Select(i => $"\n\"a zebra and {i} more animals\",animals")));
        (code, _, error) = await CommandLine.RunAsync("train", "--data", three, "--settings", workspace.Settings, "--unlabeled", texts, "--teacher", workspace["one"], "--out", workspace["other"]);
        Assert.Equal(2, code);
        Assert.Contains("knows other labels (fruit, weather) than --data has (animals, fruit, weather)", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["other"]));
    }

    [Fact]
    public async Task Train_TestLabelsThatAreNotTrained_AreRefusedBeforeTraining()
    {
        string test = workspace.Write("other.csv", "text,label\n\"a zebra\",animals\n");

        (int code, _, string error) = await CommandLine.RunAsync("train", "--data", workspace.Data, "--test", test, "--settings", workspace.Settings, "--out", workspace["model"]);

        Assert.Equal(2, code);
        Assert.Contains("labels that the model does not know: animals", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["model"]));
    }

    [Fact]
    public async Task Train_WithUnlabeledText_KnowsItsWords()
    {
        string texts = workspace.Write("more.txt", "a zebra here\nanother zebra there\n");

        (int code, string output, string error) = await CommandLine.RunAsync(
            "train", "--data", workspace.Data, "--unlabeled", texts, "--settings", workspace.Settings, "--direction", "forward", "--strategy", "last", "--out", workspace["model"]);

        Assert.True(code == 0, error);
        Assert.Contains("2 without label", output, StringComparison.Ordinal);
        Assert.Contains("\"zebra\"", File.ReadAllText(Path.Combine(workspace["model"], "vocabulary.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lm")]
    [InlineData("classifier")]
    public async Task FindLearningRate_Json_HoldsEveryStepAndIsTheSameAgain(string phase)
    {
        string[] find = ["lr-find", "--data", workspace.Data, "--settings", workspace.Settings, "--phase", phase, "--steps", "40"];
        (int code, string output, string error) = await CommandLine.RunAsync([.. find, "--json", workspace["one.json"], "--threads", "1"]);
        Assert.True(code == 0, error);
        Assert.Equal(0, (await CommandLine.RunAsync([.. find, "--json", workspace["two.json"], "--threads", "2"])).ExitCode);

        JsonElement report = Json("one.json");
        Assert.Equal(report.ToString(), Json("two.json").ToString());
        Assert.Equal(phase, report.GetProperty("phase").GetString());
        Assert.InRange(report.GetProperty("points").GetArrayLength(), 10, 40);
        Assert.Contains(phase == "lm" ? "languageModel.learningRate" : "classifier.learningRate", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["model"]));
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["train"], "--data" },
        { ["train", "--data", "nowhere.csv"], "There is no file 'nowhere.csv'" },
        { ["train", "--data", "{data}", "--strategy", "graduall"], "choose gradual, full, last, chain-thaw" },
        { ["train", "--data", "{data}", "--strategy", "partial"], "freezeTo must be given" },
        { ["train", "--data", "{data}", "--freeze-to", "-2"], "freezeTo must be given" },
        { ["train", "--data", "{data}", "--pretrained", "none", "--strategy", "partial", "--freeze-to", "-9"], "freezeTo is -9" },
        { ["train", "--data", "{data}", "--lm-schedule", "stair"], "--lm-schedule 'stair' is not known" },
        { ["train", "--data", "{data}", "--pretrained", "none", "--engine", "gpu"], "it has: cpu" },
        { ["train", "--data", "{data}", "--pretrained", "none", "--threads", "0"], "--threads must be at least 1" },
        { ["train", "--data", "{data}", "--pretrained", "nowhere"], "no pretrained model in 'nowhere'" },
        { ["train", "--data", "{data}", "--from", "nowhere"], "'nowhere' holds no model.onnx to start at" },
        { ["train", "--data", "{data}", "--from", "model", "--out", "./model"], "--out must be another folder" },
        { ["train", "--data", "{data}", "--pretrained", "none", "--teacher", "model", "--out", "./model"], "--out must be another folder" },
        { ["train", "--data", "{data}", "--pretrained", "none", "--teacher", "nowhere"], "--teacher needs texts to label" },
        { ["train", "--data", "{data}", "--pretrained", "none", "--unlabeled", "{test}", "--teacher", "nowhere"], "'nowhere' holds no model.onnx" },
        { ["train", "--data", "{data}", "--from", "nowhere", "--pretrained", "wiki"], "either --from or --pretrained" },
        { ["train", "--data", "{data}", "--class-weights", "fair"], "choose none, balanced" },
        { ["train", "--data", "{data}", "--early-stopping", "0"], "classifier.earlyStopping.patience must lie in [1, 1000]" },
        { ["train", "--data", "{data}", "--method", "svm"], "choose ulmfit, lstm, features" },
        { ["train", "--data", "{data}", "--method", "lstm", "--pretrained", "wiki"], "pretrained must be \"none\" with the method \"lstm\"" },
        { ["train", "--data", "{data}", "--method", "lstm", "--from", "model", "--out", "other"], "from must be left out with the method \"lstm\"" },
        { ["train", "--data", "{data}", "--method", "lstm", "--strategy", "last"], "strategy must be left out with the method \"lstm\"" },
        { ["train", "--data", "{data}", "--method", "lstm", "--lm-schedule", "cosine"], "languageModel must be left out" },
        { ["train", "--data", "{data}", "--method", "lstm", "--unlabeled", "{data}"], "--unlabeled does not go with the method lstm" },
        { ["train", "--data", "{data}", "--reduction", "pca"], "features must be left out but with the method \"features\"" },
        { ["train", "--data", "{data}", "--method", "features", "--reduction", "ica"], "choose none, pca, lda" },
        { ["train", "--data", "{data}", "--method", "features", "--components", "3"], "features.components is for the reductions" },
        { ["train", "--data", "{data}", "--method", "features", "--strategy", "last"], "strategy must be left out with the method \"features\"" },
        { ["train", "--data", "{data}", "--method", "features", "--early-stopping", "3"], "classifier.earlyStopping must be left out" },
        { ["lr-find", "--data", "{data}", "--pretrained", "none", "--method", "features"], "no learning rate to find" },
        { ["lr-find", "--data", "{data}", "--phase", "head"], "choose lm or classifier" },
        { ["lr-find", "--data", "{data}", "--pretrained", "none", "--steps", "3"], "--steps must be at least 20" },
        { ["train", "--data", "{data}", "--label-column", "nosuch"], "nosuch" },
        { ["evaluate", "--model", "nowhere", "--data", "{data}"], "holds no model.onnx" },
        { ["evaluate", "--model", "nowhere", "--data", "{data}", "--report", "report.json"], "--report must name an .html file" },
        { ["evaluate", "--model", "nowhere", "--data", "{data}", "--hardest-examples", "-1"], "--hardest-examples must not be negative" },
        { ["classify", "--model", "nowhere"], "Give either texts or --data FILE" },
        { ["frobnicate"], "frobnicate" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task AnyCommand_WrongUsage_ExitsWithTwoAndSaysWhatToDo(string[] arguments, string message)
    {
        (int code, _, string error) = await CommandLine.RunAsync([.. arguments.Select(argument => argument.Replace("{data}", workspace.Data, StringComparison.Ordinal).Replace("{test}", workspace.Test, StringComparison.Ordinal))]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_BadRows_AreNamedAndTheGoodOnesTrained()
    {
        string data = workspace.Write("bad.csv", File.ReadAllText(workspace.Data) + "\n\"a row without a label\",\n");

        (int code, _, string error) = await CommandLine.RunAsync("train", "--data", data, "--settings", workspace.Settings, "--out", workspace["model"], "--strategy", "last", "--no-lm-finetuning", "--direction", "forward");

        Assert.Equal(0, code);
        Assert.Contains("bad.csv(122", error, StringComparison.Ordinal);
        Assert.Contains("label", error, StringComparison.Ordinal);
    }

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(workspace[name])).RootElement;
}
