using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Ulmfit.Import;

/// <summary>
/// Reads Python's pickles of plain data: numbers, strings, bytes, tuples, lists, dicts, sets and PyTorch's tensors. A
/// pickle is a program, and Python runs whatever it names; this reader runs nothing. It knows the opcodes of
/// <see cref="PickleOpcode"/> and the names of <see cref="PickleGlobal"/>, and refuses the rest by name. Opcodes are gone
/// through one after the other without recursion, and what a file can make it keep is bounded by the constants here and by
/// the file's own length.
/// </summary>
/// <param name="data">The bytes; a pickle ends with its own mark, and others may follow.</param>
/// <param name="start">Where it begins.</param>
/// <param name="persistent">Makes the value of an id that the pickle gives to what lies outside of it; null where there is no such thing.</param>
internal sealed class PickleReader(byte[] data, int start = 0, Func<PickleSequence, object?>? persistent = null)
{
    /// <summary>Values that a pickle may push; a container counts as <see cref="ContainerCost"/>.</summary>
    private const int MaximumValues = 2_000_000;

    private const int ContainerCost = 4;
    private const int MaximumDepth = 32;
    private const int MaximumMarks = 64;
    private const int MaximumStringBytes = 1 << 20;
    private const int MaximumIntegerBytes = 32;
    private const int MaximumNumberText = 80;
    private const int HighestProtocol = 5;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = [];
    private readonly Dictionary<long, object?> memo = [];
    private int memoised;
    private int values;
    private int opcodeAt = start;

    /// <summary>Where the next byte is read: after <see cref="Read"/>, behind the pickle.</summary>
    public int Position { get; private set; } = start;

    /// <summary>Reads one pickle.</summary>
    /// <exception cref="InvalidDataException">It is malformed, names something that is not read, or is larger than anything that is imported.</exception>
    public object? Read()
    {
        while (true)
        {
            opcodeAt = Position;
            var opcode = (PickleOpcode)Byte();
            if (opcode == PickleOpcode.Stop)
            {
                return stack.Count == 1 && marks.Count == 0 ? stack[0] : throw Malformed($"it ends with {stack.Count} values on its stack and {marks.Count} marks, where one value and no mark were expected");
            }

            Execute(opcode);
        }
    }

    private void Execute(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Protocol:
                int protocol = Byte();
                if (protocol > HighestProtocol)
                {
                    throw Malformed($"its protocol is {protocol}; up to {HighestProtocol} are read");
                }

                break;
            case PickleOpcode.Frame:
                Length(Int64(), int.MaxValue, "a frame");
                break;

            case PickleOpcode.Mark:
                if (marks.Count == MaximumMarks)
                {
                    throw Malformed($"more than {MaximumMarks} marks are open");
                }

                marks.Push(stack.Count);
                break;
            case PickleOpcode.Pop:
                if (marks.Count > 0 && marks.Peek() == stack.Count)
                {
                    marks.Pop();
                }
                else
                {
                    Pop();
                }

                break;
            case PickleOpcode.PopMark:
                PopToMark();
                break;

            case PickleOpcode.None:
                Push(null);
                break;
            case PickleOpcode.NewTrue:
                Push(true);
                break;
            case PickleOpcode.NewFalse:
                Push(false);
                break;
            case PickleOpcode.BinInt:
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)));
                break;
            case PickleOpcode.BinInt1:
                Push((long)Byte());
                break;
            case PickleOpcode.BinInt2:
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)));
                break;
            case PickleOpcode.Long1:
                PushInteger(Byte());
                break;
            case PickleOpcode.Long4:
                PushInteger(BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)));
                break;
            case PickleOpcode.Int:
                string text = Line(MaximumNumberText);
                if (text is "00" or "01")
                {
                    Push(text == "01");
                }
                else
                {
                    PushInteger(text);
                }

                break;
            case PickleOpcode.Long:
                text = Line(MaximumNumberText);
                PushInteger(text.EndsWith('L') ? text[..^1] : text);
                break;
            case PickleOpcode.Float:
                text = Line(MaximumNumberText);
                Push(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : throw Malformed($"'{ForeignText.Shown(text)}' is no number"));
                break;
            case PickleOpcode.BinFloat:
                Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8)));
                break;

            case PickleOpcode.Unicode:
                Push(RawUnicodeEscape(Line(MaximumStringBytes)));
                break;
            case PickleOpcode.ShortBinUnicode:
                Push(String(Byte()));
                break;
            case PickleOpcode.BinUnicode:
                Push(String(UInt32()));
                break;
            case PickleOpcode.BinUnicode8:
                Push(String(Int64()));
                break;
            case PickleOpcode.ShortBinBytes:
                Push(Bytes(Byte()).ToArray());
                break;
            case PickleOpcode.BinBytes:
                Push(Bytes(Length(UInt32(), MaximumStringBytes, "bytes")).ToArray());
                break;
            case PickleOpcode.BinBytes8:
            case PickleOpcode.ByteArray8:
                Push(Bytes(Length(Int64(), MaximumStringBytes, "bytes")).ToArray());
                break;

            case PickleOpcode.EmptyTuple:
                Push(new PickleSequence(PickleSequenceKind.Tuple, []), ContainerCost);
                break;
            case PickleOpcode.Tuple1:
                PushSequence(PickleSequenceKind.Tuple, PopItems(Top(1)));
                break;
            case PickleOpcode.Tuple2:
                PushSequence(PickleSequenceKind.Tuple, PopItems(Top(2)));
                break;
            case PickleOpcode.Tuple3:
                PushSequence(PickleSequenceKind.Tuple, PopItems(Top(3)));
                break;
            case PickleOpcode.Tuple:
                PushSequence(PickleSequenceKind.Tuple, PopToMark());
                break;
            case PickleOpcode.EmptyList:
                Push(new PickleSequence(PickleSequenceKind.List, []), ContainerCost);
                break;
            case PickleOpcode.List:
                PushSequence(PickleSequenceKind.List, PopToMark());
                break;
            case PickleOpcode.Append:
                Add(PopItems(Top(1)), PickleSequenceKind.List);
                break;
            case PickleOpcode.Appends:
                Add(PopToMark(), PickleSequenceKind.List);
                break;
            case PickleOpcode.EmptySet:
                Push(new PickleSequence(PickleSequenceKind.Set, []), ContainerCost);
                break;
            case PickleOpcode.AddItems:
                Add(PopToMark(), PickleSequenceKind.Set);
                break;
            case PickleOpcode.FrozenSet:
                PushSequence(PickleSequenceKind.Set, PopToMark());
                break;
            case PickleOpcode.EmptyDict:
                Push(new PickleDictionary(), ContainerCost);
                break;
            case PickleOpcode.Dict:
                List<object?> pairs = PopToMark();
                var dictionary = new PickleDictionary();
                Set(dictionary, pairs);
                Push(dictionary, ContainerCost);
                break;
            case PickleOpcode.SetItem:
                SetOnTop(PopItems(Top(2)));
                break;
            case PickleOpcode.SetItems:
                SetOnTop(PopToMark());
                break;

            case PickleOpcode.Put:
                Memoise(Index(Line(MaximumNumberText)));
                break;
            case PickleOpcode.BinPut:
                Memoise(Byte());
                break;
            case PickleOpcode.LongBinPut:
                Memoise(UInt32());
                break;
            case PickleOpcode.Memoize:
                Memoise(memoised);
                break;
            case PickleOpcode.Get:
                Recall(Index(Line(MaximumNumberText)));
                break;
            case PickleOpcode.BinGet:
                Recall(Byte());
                break;
            case PickleOpcode.LongBinGet:
                Recall(UInt32());
                break;

            case PickleOpcode.Global:
                string module = Line(MaximumStringBytes), name = Line(MaximumStringBytes);
                Push(Find(module, name));
                break;
            case PickleOpcode.StackGlobal:
                object? second = Pop(), first = Pop();
                Push(first is string ofModule && second is string ofName ? Find(ofModule, ofName) : throw Malformed("a name outside the pickle is not given by two strings"));
                break;
            case PickleOpcode.BinPersistentId:
                object? id = Pop();
                Push(persistent is not null && id is PickleSequence { Kind: PickleSequenceKind.Tuple } tuple ? persistent(tuple) : throw Malformed("it refers to something outside of itself, where there is nothing"));
                break;
            case PickleOpcode.Reduce:
                object? arguments = Pop();
                Push(Call(Pop(), arguments), ContainerCost);
                break;
            case PickleOpcode.NewObject:
                Pop();
                object? type = Pop();
                Push(type is PickleGlobal { Kind: PickleGlobalKind.Instance } known ? new PickleInstance(known) : throw Malformed($"it makes an object of {Described(type)}"), ContainerCost);
                break;
            case PickleOpcode.Build:
                Build(Pop());
                break;

            default:
                throw Malformed($"opcode 0x{(byte)opcode:x2} is none of those that plain data are made of");
        }
    }

    private object? Call(object? callee, object? arguments)
    {
        if (callee is not PickleGlobal function || arguments is not PickleSequence { Kind: PickleSequenceKind.Tuple, Items: var given })
        {
            throw Malformed($"it calls {Described(callee)}");
        }

        return function.Kind switch
        {
            PickleGlobalKind.List => Collection(PickleSequenceKind.List, given, function),
            PickleGlobalKind.Tuple => Collection(PickleSequenceKind.Tuple, given, function),
            PickleGlobalKind.Set => Collection(PickleSequenceKind.Set, given, function),
            PickleGlobalKind.Dictionary => Dictionary(given, function),
            PickleGlobalKind.DefaultDictionary when given is [] or [null] or [PickleGlobal { Kind: PickleGlobalKind.Name }] => new PickleDictionary(),
            PickleGlobalKind.Encode => Encoded(given),
            PickleGlobalKind.Tensor => TensorOf(given),
            PickleGlobalKind.Parameter when given is [TorchTensor tensor, ..] => tensor,
            PickleGlobalKind.Instance => new PickleInstance(function),
            _ => throw Malformed($"it calls {function.FullName} in a way that is not known"),
        };
    }

    private PickleSequence Collection(PickleSequenceKind kind, List<object?> arguments, PickleGlobal function)
    {
        List<object?> items = arguments switch
        {
            [] => [],
            [PickleSequence source] => source.Items,
            _ => throw Malformed($"it calls {function.FullName} with something that is no sequence"),
        };
        Spend(items.Count);
        var sequence = new PickleSequence(kind, [.. items]);
        sequence.Depth = DepthAround(sequence.Items, sequence.Depth);
        return sequence;
    }

    private PickleDictionary Dictionary(List<object?> arguments, PickleGlobal function)
    {
        var dictionary = new PickleDictionary();
        switch (arguments)
        {
            case []:
                break;
            case [PickleSequence source]:
                foreach (object? item in source.Items)
                {
                    Spend(1);
                    Set(dictionary, item is PickleSequence { Items: [_, _] } pair ? pair.Items : throw Malformed($"it calls {function.FullName} with something else than pairs"));
                }

                break;
            case [PickleDictionary source]:
                Spend(source.Named.Count);
                foreach ((string key, object? value) in source.Named)
                {
                    dictionary.Named[key] = value;
                }

                dictionary.OtherKeys = source.OtherKeys;
                dictionary.Depth = source.Depth;
                break;
            default:
                throw Malformed($"it calls {function.FullName} with something that makes no dict");
        }

        return dictionary;
    }

    private byte[] Encoded(List<object?> arguments)
    {
        if (arguments is not [string text, "latin1" or "latin-1"] || text.Any(c => c > '\u00FF'))
        {
            throw Malformed("it encodes something else than Latin-1");
        }

        return Encoding.Latin1.GetBytes(text);
    }

    /// <summary>(storage, offset, size, stride, …): what follows tells of gradients and hooks.</summary>
    private TorchTensor TensorOf(List<object?> arguments)
    {
        if (arguments is not [TorchStorage storage, long offset, PickleSequence size, PickleSequence stride, ..]
            || Extents(size) is not long[] shape || Extents(stride) is not long[] strides)
        {
            throw Malformed("a tensor is not given by a storage, an offset, a size and strides");
        }

        return TorchTensor.Create(storage, offset, shape, strides)
            ?? throw Malformed($"a tensor of size [{string.Join(", ", shape)}] with strides [{string.Join(", ", strides)}] from element {offset} on does not lie within its storage of {storage.Count} elements");
    }

    private static long[]? Extents(PickleSequence sequence)
    {
        const int Most = 8;
        return sequence.Items.Count <= Most && sequence.Items.All(item => item is long) ? [.. sequence.Items.Select(item => (long)item!)] : null;
    }

    /// <summary>Attributes: kept of an object that is data, left out of a dict, which may carry some (<c>_metadata</c>).</summary>
    private void Build(object? state)
    {
        switch (Peek())
        {
            case PickleInstance instance:
                instance.State = state;
                instance.Depth = DepthAround([state], instance.Depth);
                break;
            case PickleDictionary:
                break;
            default:
                throw Malformed($"it sets attributes of {Described(Peek())}");
        }
    }

    private PickleGlobal Find(string module, string name) =>
        PickleGlobal.Find(module, name)
        ?? throw Malformed($"it names {ForeignText.Shown(module)}.{ForeignText.Shown(name)}, which is not among what is read: loading it could run code. In Python, where you trust the file, save the plain weights (torch.save(learn.model.state_dict(), …)) or the plain list of words (pickle.dump(list(vocab), …))");

    private void PushSequence(PickleSequenceKind kind, List<object?> items)
    {
        var sequence = new PickleSequence(kind, items);
        sequence.Depth = DepthAround(items, sequence.Depth);
        Push(sequence, ContainerCost);
    }

    private void Add(List<object?> items, PickleSequenceKind kind)
    {
        if (Peek() is not PickleSequence sequence || sequence.Kind != kind)
        {
            throw Malformed($"it adds to {Described(Peek())}");
        }

        sequence.Depth = DepthAround(items, sequence.Depth);
        sequence.Items.AddRange(items);
    }

    private void SetOnTop(List<object?> pairs) => Set(Peek() as PickleDictionary ?? throw Malformed($"it sets items of {Described(Peek())}"), pairs);

    private void Set(PickleDictionary dictionary, List<object?> pairs)
    {
        if ((pairs.Count & 1) != 0)
        {
            throw Malformed("a dict has a key without a value");
        }

        dictionary.Depth = DepthAround(pairs, dictionary.Depth);
        for (int i = 0; i < pairs.Count; i += 2)
        {
            if (pairs[i] is string key)
            {
                dictionary.Named[key] = pairs[i + 1];
            }
            else
            {
                dictionary.OtherKeys++;
            }
        }
    }

    private int DepthAround(List<object?> items, int depth)
    {
        foreach (object? item in items)
        {
            int within = item switch { PickleSequence sequence => sequence.Depth, PickleDictionary dictionary => dictionary.Depth, PickleInstance instance => instance.Depth, _ => 0 };
            depth = Math.Max(depth, within + 1);
        }

        return depth <= MaximumDepth ? depth : throw Malformed($"containers lie within one another more than {MaximumDepth} deep");
    }

    private void Push(object? value, int cost = 1)
    {
        Spend(cost);
        stack.Add(value);
    }

    private void Spend(int cost)
    {
        values += cost;
        if (values > MaximumValues)
        {
            throw Malformed($"it holds more than {MaximumValues} values");
        }
    }

    private object? Peek() => stack[Top(1)];

    private object? Pop()
    {
        int top = Top(1);
        object? value = stack[top];
        stack.RemoveAt(top);
        return value;
    }

    /// <summary>Index of the last <paramref name="count"/> values, of those behind the last mark.</summary>
    private int Top(int count)
    {
        int bottom = marks.Count > 0 ? marks.Peek() : 0;
        return stack.Count - count >= bottom ? stack.Count - count : throw Malformed("its stack is empty where a value is needed");
    }

    private List<object?> PopToMark() => marks.Count > 0 ? PopItems(marks.Pop()) : throw Malformed("there is no mark where one is needed");

    private List<object?> PopItems(int from)
    {
        List<object?> items = stack.GetRange(from, stack.Count - from);
        stack.RemoveRange(from, items.Count);
        return items;
    }

    private void Memoise(long index)
    {
        if (index is < 0 or >= MaximumValues)
        {
            throw Malformed($"it remembers a value under the number {index}; fewer than {MaximumValues} are kept");
        }

        // By number and not by place: a pickle may begin with the highest, and would have a table made for all below it.
        memo[index] = Peek();
        memoised++;
    }

    private void Recall(long index) =>
        Push(memo.TryGetValue(index, out object? value) ? value : throw Malformed($"it recalls the number {index}, under which nothing was remembered"));

    private void PushInteger(int length)
    {
        if (length is < 0 or > MaximumIntegerBytes)
        {
            throw Malformed($"an integer of {length} bytes; up to {MaximumIntegerBytes} are read");
        }

        PushNumber(new BigInteger(Bytes(length)));
    }

    private void PushInteger(string text) =>
        PushNumber(BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger number) ? number : throw Malformed($"'{ForeignText.Shown(text)}' is no integer"));

    private long Index(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : throw Malformed($"'{ForeignText.Shown(text)}' is no number of something remembered");

    /// <summary>As a long where it is one, so that few have to think of the other kind.</summary>
    private void PushNumber(BigInteger number)
    {
        if (number >= long.MinValue && number <= long.MaxValue)
        {
            Push((long)number);
        }
        else
        {
            Push(number);
        }
    }

    private string String(long length)
    {
        ReadOnlySpan<byte> bytes = Bytes(Length(length, MaximumStringBytes, "a string"));
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("a string is not UTF-8");
        }
    }

    /// <summary>Python's raw-unicode-escape: Latin-1 with <c>\uxxxx</c> and <c>\Uxxxxxxxx</c>.</summary>
    private string RawUnicodeEscape(string line)
    {
        if (!line.Contains('\\'))
        {
            return line;
        }

        var decoded = new StringBuilder(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            int digits = line[i] != '\\' || i + 1 == line.Length ? 0 : line[i + 1] switch { 'u' => 4, 'U' => 8, _ => 0 };
            if (digits == 0)
            {
                decoded.Append(line[i]);
                continue;
            }

            if (i + 2 + digits > line.Length
                || !int.TryParse(line.AsSpan(i + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code) || !Rune.IsValid(code))
            {
                throw Malformed("a string has an escape that is no character");
            }

            decoded.Append(new Rune(code).ToString());
            i += 1 + digits;
        }

        return decoded.ToString();
    }

    private string Line(int most)
    {
        ReadOnlySpan<byte> rest = data.AsSpan(Position);
        int end = rest[..Math.Min(rest.Length, most + 1)].IndexOf((byte)'\n');
        if (end < 0)
        {
            throw Malformed(rest.Length > most ? $"a line is longer than {most} bytes" : "the file ends in the middle of a line");
        }

        Position += end + 1;
        return Encoding.Latin1.GetString(rest[..end]);
    }

    private int Length(long length, int most, string what) =>
        length < 0 || length > most ? throw Malformed($"{what} of {length} bytes; up to {most} are read") : (int)length;

    private byte Byte() => Bytes(1)[0];

    private long UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    private long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    private ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > data.Length - Position)
        {
            throw Malformed($"the file ends where {count} bytes were expected");
        }

        ReadOnlySpan<byte> bytes = data.AsSpan(Position, count);
        Position += count;
        return bytes;
    }

    private InvalidDataException Malformed(string what) => new($"The pickle is not read from byte {opcodeAt} on: {what}.");

    private static string Described(object? value) => value switch
    {
        PickleGlobal global => global.FullName,
        PickleInstance instance => "an object of " + instance.Type.FullName,
        PickleSequence sequence => "a " + sequence.Kind.ToString().ToLowerInvariant(),
        PickleDictionary => "a dict",
        null => "nothing",
        _ => "a value of the kind " + value.GetType().Name,
    };
}
