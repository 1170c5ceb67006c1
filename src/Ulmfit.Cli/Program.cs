using System.CommandLine;
using Ulmfit.Cli;
using Ulmfit.Cli.Bench;
using Ulmfit.Cli.Compare;
using Ulmfit.Cli.Pretrain;

var root = new RootCommand("ULMFiT text classifiers from a terminal: train, evaluate, classify, pretrain, import, generate, measure.")
{
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    LearningRateCommand.Create(),
    CompareCommand.Create(),
    LowShotCommand.Create(),
    ClassifyCommand.Create(),
    PretrainCommand.Create(),
    ImportCommand.Create(),
    GenerateCommand.Create(),
    BenchCommand.Create(),
};

return await ExitCodes.RunAsync(root, args);
