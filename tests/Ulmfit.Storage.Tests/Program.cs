using Ulmfit.Storage.Tests;
using Xunit.Runner.InProc.SystemConsole;

// A test starts this assembly once more, as a process of its own that uses the store and can be killed.
return args is ["--child", .. var job] ? await Child.RunAsync(job) : await ConsoleRunner.Run(args);
