using ServingBenchmark;

return await ServingCommand.Create().Parse(args).InvokeAsync();
