using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>Reads a method with <see cref="FunctionAttribute"/> into a function that can be invoked, or says why it cannot be.</summary>
internal sealed partial class FunctionReader(IConfiguration configuration, HostSettings settings, bool aspNetCore)
{
    /// <summary>Reads a method.</summary>
    /// <param name="method">The method.</param>
    /// <param name="attribute">Its attribute.</param>
    /// <param name="findings">Takes one text for each thing that is wrong.</param>
    /// <returns>The function; null where something is wrong.</returns>
    public HostedFunction? Read(MethodInfo method, FunctionAttribute attribute, List<string> findings)
    {
        string entryPoint = $"{method.DeclaringType!.FullName}.{method.Name}";
        var reading = new Reading(attribute.Name, entryPoint, findings);
        if (!FunctionName().IsMatch(attribute.Name))
        {
            reading.Find($"'{attribute.Name}' is no name for a function; begin it with a letter and go on with letters, digits, hyphens and underscores, 128 at most, and not 'host'.");
            return null;
        }

        if (!method.IsPublic)
        {
            reading.Find("the method is not public; make it public.");
        }

        if (method.IsGenericMethod || method.DeclaringType.ContainsGenericParameters)
        {
            reading.Find("the method or its class has type parameters, which the host cannot choose; make it non-generic.");
        }

        if (!method.IsStatic && method.DeclaringType.IsAbstract)
        {
            reading.Find("its class is abstract; make it concrete, or the method static.");
        }

        (ParameterInfo Parameter, TriggerBindingAttribute Attribute)[] triggers =
            [.. from p in method.GetParameters()
                from a in p.GetCustomAttributes<TriggerBindingAttribute>()
                select (p, a)];
        if (triggers.Length != 1)
        {
            reading.Find(triggers.Length == 0
                ? "no parameter has a trigger; put [HttpTrigger], [BlobTrigger], [TimerTrigger], [OrchestrationTrigger] or [ActivityTrigger] on one."
                : "more than one parameter has a trigger; keep one and make a second function for the other.");
            return null;
        }

        (ParameterInfo triggerParameter, TriggerBindingAttribute trigger) = triggers[0];
        reading.Trigger = triggerParameter;
        if (!ReadTrigger(reading, trigger))
        {
            return null;
        }

        RetryPlan retry = ReadRetry(reading, method);
        var binders = new List<ParameterBinder>();
        var inputs = ImmutableDictionary.CreateBuilder<string, BindingMetadata>();
        foreach (ParameterInfo parameter in method.GetParameters())
        {
            if (parameter.GetCustomAttribute<BindingAttribute>() is { } binding)
            {
                inputs[parameter.Name!] = new HostBindingMetadata(parameter.Name!, BindingType(binding), BindingDirection.In);
            }

            if (parameter.ParameterType.IsByRef)
            {
                reading.Find(parameter, "is passed by reference, which a function cannot take; pass it by value and return what changes.");
            }
            else if (Bind(reading, parameter) is { } binder)
            {
                binders.Add(binder);
            }
        }

        var outputs = ImmutableDictionary.CreateBuilder<string, BindingMetadata>();
        var call = reading.Failed ? null : new FunctionMethod(method);
        IReadOnlyList<BlobOutputTarget> targets = call is null ? [] : ReadOutputs(reading, method, call.ResultType, outputs);
        if (reading.Failed)
        {
            return null;
        }

        return new HostedFunction
        {
            Name = attribute.Name,
            Method = method,
            Kind = reading.Kind,
            Trigger = trigger,
            Binders = binders,
            Outputs = targets,
            Call = call!,
            Retry = retry,
            Route = reading.Route,
            BlobPattern = reading.BlobPattern,
            Schedule = reading.Schedule,
            Definition = new HostFunctionDefinition(
                attribute.Name,
                FunctionId.Of(attribute.Name, entryPoint),
                entryPoint,
                method.Module.FullyQualifiedName,
                [.. method.GetParameters().Select(p => new FunctionParameter(p.Name!, p.ParameterType, p.HasDefaultValue, p.HasDefaultValue ? p.DefaultValue : null))],
                inputs.ToImmutable(),
                outputs.ToImmutable()),
        };
    }

    private bool ReadTrigger(Reading reading, TriggerBindingAttribute trigger)
    {
        try
        {
            switch (trigger)
            {
                case HttpTriggerAttribute http:
                    reading.Kind = TriggerKind.Http;
                    string route = SettingNames.Resolve(http.Route ?? reading.Name, configuration).TrimStart('/');
                    reading.Route = settings.RoutePrefix.Length == 0 ? route : $"{settings.RoutePrefix}/{route}";
                    foreach (RoutePatternParameterPart part in RoutePatternFactory.Parse(reading.Route).Parameters)
                    {
                        reading.DataNames.Add(part.Name);
                    }

                    return true;

                case BlobTriggerAttribute blob:
                    reading.Kind = TriggerKind.Blob;
                    reading.BlobPattern = BlobPathPattern.Parse(SettingNames.Resolve(blob.BlobPath, configuration));
                    if (FolderBlobTriggerSource.IsReserved(reading.BlobPattern.Container))
                    {
                        throw new FormatException($"the container '{reading.BlobPattern.Container}' is a folder of the host's own in the data directory; choose another name.");
                    }

                    reading.DataNames.UnionWith(reading.BlobPattern.Parameters);
                    reading.DataNames.UnionWith(["blobTrigger", "uri"]);
                    return true;

                case TimerTriggerAttribute timer:
                    reading.Kind = TriggerKind.Timer;
                    reading.Schedule = TimerSchedule.Parse(SettingNames.Resolve(timer.Schedule, configuration));
                    return true;

                case OrchestrationTriggerAttribute:
                    reading.Kind = TriggerKind.Orchestration;
                    return true;

                case ActivityTriggerAttribute:
                    reading.Kind = TriggerKind.Activity;
                    reading.DataNames.Add("instanceId");
                    return true;

                default:
                    reading.Find($"this host has no trigger {trigger.GetType().Name}; it has HTTP, blob, timer, orchestration and activity triggers.");
                    return false;
            }
        }
        catch (Exception e) when (e is FormatException or RoutePatternException)
        {
            reading.Find(e.Message);
            return false;
        }
    }

    private static RetryPlan ReadRetry(Reading reading, MethodInfo method)
    {
        RetryAttribute? retry = method.GetCustomAttribute<RetryAttribute>();
        if (retry is not null && reading.Kind != TriggerKind.Timer)
        {
            // The Functions build refuses it too (AZFW0012): only triggers that state the capability take a function-level policy.
            reading.Find($"[{retry.GetType().Name.Replace("Attribute", "", StringComparison.Ordinal)}] is for timer triggers; remove it"
                + (reading.Kind == TriggerKind.Blob ? ", a blob is tried five times anyway (poisonBlobThreshold of host.json)."
                    : reading.Kind is TriggerKind.Activity or TriggerKind.Orchestration ? " and give the call a RetryPolicy in its TaskOptions."
                    : "."));
        }
        else if (retry is { MaxRetryCount: < -1 })
        {
            reading.Find($"a retry count of {retry.MaxRetryCount} has no meaning; use -1 for no limit, or 0 and more.");
        }

        return RetryPlan.Of(retry);
    }

    private ParameterBinder? Bind(Reading reading, ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        if (parameter == reading.Trigger)
        {
            return BindTrigger(reading, parameter);
        }

        if (parameter.GetCustomAttribute<DurableClientAttribute>() is not null)
        {
            return type == typeof(DurableTaskClient)
                ? static context => ValueTask.FromResult<object?>(context.InstanceServices.GetRequiredService<DurableWork>().Client)
                : reading.Find(parameter, $"has [DurableClient] and the type {type.Name}; make its type DurableTaskClient.");
        }

        if (parameter.GetCustomAttribute<BlobInputAttribute>() is { } input)
        {
            return BindBlobInput(reading, parameter, input);
        }

        if (type == typeof(FunctionContext))
        {
            return static context => ValueTask.FromResult<object?>(context);
        }

        if (type == typeof(CancellationToken))
        {
            return static context => ValueTask.FromResult<object?>(context.CancellationToken);
        }

        if (type == typeof(HttpRequest) && reading.Kind == TriggerKind.Http && aspNetCore)
        {
            return static context => ValueTask.FromResult<object?>(((HttpContext)context.TriggerValue!).Request);
        }

        if (type == typeof(DurableTaskClient))
        {
            return reading.Find(parameter, "is a DurableTaskClient without attribute; put [DurableClient] on it.");
        }

        if (typeof(ILogger).IsAssignableFrom(type))
        {
            return reading.Find(parameter, "is a logger, which functions get through their class's constructor or from FunctionContext.GetLogger.");
        }

        string name = parameter.Name!;
        if (reading.DataNames.Contains(name) || IsQueryParameter(reading, parameter))
        {
            return BindingValueConverter.CanConvert(type)
                ? context => BindData(context, parameter)
                : reading.Find(parameter, $"has the type {type.Name}, which a value of the trigger cannot be converted to; make it a string.");
        }

        if (reading.Kind == TriggerKind.Orchestration && !reading.HasInput)
        {
            reading.HasInput = true;
            return context => ValueTask.FromResult(
                Converter(context).Deserialize(((OrchestratorCall)context.TriggerValue!).InputJson, type) ?? Default(type));
        }

        if (parameter.HasDefaultValue)
        {
            object? value = parameter.DefaultValue;
            return _ => ValueTask.FromResult(value);
        }

        return reading.Find(parameter, $"of type {type.Name} has nothing to be bound from; "
            + (reading.Kind == TriggerKind.Http ? $"put {{{name}}} into the route '{reading.Route}', make it nullable to take it from the query, "
                : reading.Kind == TriggerKind.Blob ? $"put {{{name}}} into the blob path '{reading.BlobPattern!.Text}', "
                : "")
            + "inject it into the class's constructor if it is a service, or give it a default value.");
    }

    private ParameterBinder? BindTrigger(Reading reading, ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        switch (reading.Kind)
        {
            case TriggerKind.Http when type != typeof(HttpRequest):
                return reading.Find(parameter, $"has [HttpTrigger] and the type {type.Name}; make its type Microsoft.AspNetCore.Http.HttpRequest.");

            case TriggerKind.Http when !aspNetCore:
                return reading.Find(parameter, "is an HttpRequest, for which the app must call builder.ConfigureFunctionsWebApplication() before Build().");

            case TriggerKind.Http:
                return static context => ValueTask.FromResult<object?>(((HttpContext)context.TriggerValue!).Request);

            case TriggerKind.Blob when !BlobContent.CanRead(type):
                return reading.Find(parameter, $"has [BlobTrigger] and the type {type.Name}, which this host cannot fill; make it Stream, string, byte[] or a class that is read from JSON.");

            case TriggerKind.Blob:
                return context => BlobContent.ReadAsync((Stream)context.TriggerValue!, type, Json(context), context.CancellationToken);

            case TriggerKind.Timer when type == typeof(TimerInfo):
                return static context => ValueTask.FromResult(context.TriggerValue);

            case TriggerKind.Timer when type == typeof(string):
                return static context => ValueTask.FromResult<object?>(JsonSerializer.Serialize((TimerInfo)context.TriggerValue!, Json(context)));

            case TriggerKind.Timer when type is { IsClass: true, IsAbstract: false }:
                return context => ValueTask.FromResult(
                    JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes((TimerInfo)context.TriggerValue!, Json(context)), type, Json(context)));

            case TriggerKind.Timer:
                return reading.Find(parameter, $"has [TimerTrigger] and the type {type.Name}; make its type TimerInfo.");

            case TriggerKind.Orchestration when type != typeof(TaskOrchestrationContext):
                return reading.Find(parameter, $"has [OrchestrationTrigger] and the type {type.Name}; make its type TaskOrchestrationContext.");

            case TriggerKind.Orchestration:
                return static context => ValueTask.FromResult<object?>(((OrchestratorCall)context.TriggerValue!).Context);

            default:
                return context => ValueTask.FromResult(Converter(context).Deserialize((string?)context.TriggerValue, type) ?? Default(type));
        }
    }

    private ParameterBinder? BindBlobInput(Reading reading, ParameterInfo parameter, BlobInputAttribute input)
    {
        Type type = parameter.ParameterType;
        if (!BlobContent.CanRead(type))
        {
            return reading.Find(parameter, $"has [BlobInput] and the type {type.Name}, which this host cannot fill; make it Stream, string, byte[] or a class that is read from JSON.");
        }

        BlobPathTemplate? path = ReadPath(reading, $"parameter '{parameter.Name}'", input.BlobPath);
        return path is null ? null : async context =>
        {
            (string container, string name) = path.Resolve(context.BindingContext.BindingData);
            Stream? content = await context.InstanceServices.GetRequiredService<IBlobTriggerSource>()
                .OpenReadAsync(container, name, null, context.CancellationToken);
            if (content is null)
            {
                return Default(type);
            }

            context.Own(content);
            return await BlobContent.ReadAsync(content, type, Json(context), context.CancellationToken);
        };
    }

    private List<BlobOutputTarget> ReadOutputs(
        Reading reading, MethodInfo method, Type resultType, ImmutableDictionary<string, BindingMetadata>.Builder metadata)
    {
        var targets = new List<BlobOutputTarget>();
        if (method.GetCustomAttribute<BlobOutputAttribute>() is { } onMethod)
        {
            if (resultType == typeof(void))
            {
                reading.Find("it has [BlobOutput] but returns nothing to write; return the content, or remove the attribute.");
            }
            else if (ReadPath(reading, "[BlobOutput]", onMethod.BlobPath) is { } path)
            {
                targets.Add(new BlobOutputTarget(path, null));
                metadata["$return"] = new HostBindingMetadata("$return", "blob", BindingDirection.Out);
            }
        }

        if (resultType != typeof(void) && resultType != typeof(object))
        {
            foreach (PropertyInfo property in resultType.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.GetCustomAttribute<BlobOutputAttribute>() is { } onProperty
                    && ReadPath(reading, $"property '{property.Name}' of the result", onProperty.BlobPath) is { } path)
                {
                    targets.Add(new BlobOutputTarget(path, property));
                    metadata[property.Name] = new HostBindingMetadata(property.Name, "blob", BindingDirection.Out);
                }
                else if (property.GetCustomAttribute<HttpResultAttribute>() is not null)
                {
                    metadata[property.Name] = new HostBindingMetadata(property.Name, "http", BindingDirection.Out);
                }
            }
        }

        return targets;
    }

    private BlobPathTemplate? ReadPath(Reading reading, string place, string path)
    {
        try
        {
            BlobPathTemplate template = BlobPathTemplate.Parse(SettingNames.Resolve(path, configuration));
            if (template.Names.FirstOrDefault(n => !reading.DataNames.Contains(n)) is { } unknown)
            {
                reading.Find($"{place}: the trigger brings no value '{unknown}' for the blob path '{path}'; it brings {(reading.DataNames.Count == 0 ? "none" : string.Join(", ", reading.DataNames))}.");
                return null;
            }

            return template;
        }
        catch (FormatException e)
        {
            reading.Find($"{place}: {e.Message}");
            return null;
        }
    }

    private static ValueTask<object?> BindData(HostFunctionContext context, ParameterInfo parameter)
    {
        object? value = context.BindingContext.BindingData.GetValueOrDefault(parameter.Name!);
        if (value is null && context.TriggerValue is HttpContext http && http.Request.Query.TryGetValue(parameter.Name!, out var query))
        {
            value = query.ToString();
        }

        return ValueTask.FromResult(value is null
            ? parameter.HasDefaultValue ? parameter.DefaultValue : Default(parameter.ParameterType)
            : BindingValueConverter.Convert(value, parameter.ParameterType, parameter.Name!));
    }

    // A query may lack the value, so only a parameter that can do without is taken from it.
    private static bool IsQueryParameter(Reading reading, ParameterInfo parameter) =>
        reading.Kind == TriggerKind.Http
        && BindingValueConverter.CanConvert(parameter.ParameterType)
        && (parameter.HasDefaultValue
            || Nullable.GetUnderlyingType(parameter.ParameterType) is not null
            || (!parameter.ParameterType.IsValueType && new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable));

    private static object? Default(Type type) => type.IsValueType ? Activator.CreateInstance(type) : null;

    private static JsonSerializerOptions Json(HostFunctionContext context) =>
        context.InstanceServices.GetRequiredService<IOptions<JsonSerializerOptions>>().Value;

    private static DataConverter Converter(HostFunctionContext context) => context.InstanceServices.GetRequiredService<DataConverter>();

    private static string BindingType(BindingAttribute binding)
    {
        string name = binding.GetType().Name.Replace("Attribute", "", StringComparison.Ordinal);
        return binding is BlobInputAttribute ? "blob" : char.ToLowerInvariant(name[0]) + name[1..];
    }

    // The rule of Functions.
    [GeneratedRegex("^(?!host$)[A-Za-z][A-Za-z0-9_-]{0,127}$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex FunctionName();

    /// <summary>What is known of a function while it is read.</summary>
    private sealed class Reading(string name, string entryPoint, List<string> findings)
    {
        public string Name { get; } = name;

        public bool Failed { get; private set; }

        public ParameterInfo? Trigger { get; set; }

        public TriggerKind Kind { get; set; }

        public string? Route { get; set; }

        public BlobPathPattern? BlobPattern { get; set; }

        public TimerSchedule? Schedule { get; set; }

        /// <summary>Whether an orchestrator has a parameter that takes its input.</summary>
        public bool HasInput { get; set; }

        /// <summary>The names of the values that the trigger brings.</summary>
        public HashSet<string> DataNames { get; } = new(StringComparer.OrdinalIgnoreCase);

        public void Find(string finding)
        {
            Failed = true;
            findings.Add($"Function '{Name}' ({entryPoint}): {finding}");
        }

        public ParameterBinder? Find(ParameterInfo parameter, string finding)
        {
            Find($"parameter '{parameter.Name}' {finding}");
            return null;
        }
    }
}
