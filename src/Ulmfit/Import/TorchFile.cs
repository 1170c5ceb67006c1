using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using Ulmfit.Model;

namespace Ulmfit.Import;

/// <summary>
/// A file that <c>torch.save</c> wrote: a pickle that names storages, and the storages. Since PyTorch 1.6 it is a zip archive
/// with <c>data.pkl</c> and <c>data/0</c>, <c>data/1</c>, … stored as they are; before (fastai 0.7 and most of 1) five pickles in
/// a row, then the storages in the order of the fifth.
/// </summary>
internal sealed class TorchFile : IDisposable
{
    /// <summary>Bytes of pickle; those of a language model with its optimiser are below 1 MB.</summary>
    private const int MaximumPickleBytes = 32 << 20;

    private const long LegacyProtocol = 1001;
    private const string Resave = "load it in Python and save it again: torch.save(torch.load(FILE, map_location='cpu'), FILE)";

    private static readonly BigInteger LegacyMagic = BigInteger.Parse("119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture);

    private readonly Stream source;
    private readonly ZipArchive? archive;
    private readonly Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TorchStorage> storages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> offsets = new(StringComparer.Ordinal);
    private readonly string folder = "";
    private readonly bool bigEndian;
    private long unread;

    private TorchFile(Stream source)
    {
        this.source = source;
        unread = source.Length;
        if (IsZip(source))
        {
            archive = new ZipArchive(source, ZipArchiveMode.Read, leaveOpen: true);
            (folder, byte[] pickle) = OpenArchive(archive);
            bigEndian = ByteOrder();
            Root = new PickleReader(pickle, 0, Storage).Read();
        }
        else
        {
            (Root, bigEndian) = OpenLegacy();
        }
    }

    /// <summary>What was saved, its tensors not read yet (<see cref="TorchTensor"/>).</summary>
    public object? Root { get; }

    /// <summary>Whether it is the format before PyTorch 1.6.</summary>
    public bool IsLegacy => archive is null;

    /// <summary>Whether a file begins as a zip archive does; its position is as before.</summary>
    public static bool IsZip(Stream source)
    {
        Span<byte> start = stackalloc byte[4];
        source.Position = 0;
        int read = source.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        source.Position = 0;
        return read == start.Length && start.SequenceEqual("PK\u0003\u0004"u8);
    }

    /// <summary>Opens a file; the stream stays open and is the caller's.</summary>
    /// <param name="source">The file, from which can be read at any place.</param>
    /// <exception cref="InvalidDataException">It is no such file, or holds what is not read.</exception>
    public static TorchFile Open(Stream source) => Guard(() => new TorchFile(source));

    /// <summary>Reads a tensor of floating-point numbers as 32-bit ones.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="tensor">A tensor of this file.</param>
    /// <exception cref="InvalidDataException">It holds no floating-point numbers or one that is not finite, or the file is damaged.</exception>
    public Tensor Read(string name, TorchTensor tensor) => Guard(() =>
    {
        TorchElement element = tensor.Storage.Element;
        if (!element.IsFloatingPoint())
        {
            throw new InvalidDataException($"The tensor '{name}' holds elements of the type {element}; floating-point numbers were expected.");
        }

        // Views of one storage could ask for the same bytes again and again; weights do not.
        long size = element.Size();
        unread -= tensor.Reach * size;
        if (unread < 0)
        {
            throw new InvalidDataException($"The tensors up to '{name}' together are larger than the file.");
        }

        float[] run = ReadRun(name, tensor, (int)Math.Min(tensor.Reach, Array.MaxLength));
        float[] elements = tensor.IsContiguous ? run : Gather(tensor, run);
        return elements.All(float.IsFinite) ? new Tensor(tensor.Shape, elements) : throw new InvalidDataException($"The tensor '{name}' holds a number that is not finite.");
    });

    /// <inheritdoc/>
    public void Dispose() => archive?.Dispose();

    /// <summary>What the archive reader throws on damaged input becomes what is documented.</summary>
    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is EndOfStreamException or ArgumentException or NotSupportedException or OverflowException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"The PyTorch file is damaged: {exception.Message}", exception);
        }
    }

    private (string Folder, byte[] Pickle) OpenArchive(ZipArchive zip)
    {
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            if (!entries.TryAdd(entry.FullName, entry))
            {
                throw new InvalidDataException("The PyTorch file has two parts of the same name.");
            }
        }

        const string Pickle = "data.pkl";
        string[] found = [.. entries.Keys.Where(name => name == Pickle || name.EndsWith("/" + Pickle, StringComparison.Ordinal))];
        if (found.Length != 1)
        {
            throw new InvalidDataException($"The zip archive holds {found.Length} files data.pkl, where one was expected: it was not written by torch.save.");
        }

        ZipArchiveEntry pickle = entries[found[0]];
        if (pickle.Length > MaximumPickleBytes)
        {
            throw new InvalidDataException($"The PyTorch file's pickle has {pickle.Length} bytes; up to {MaximumPickleBytes} are read.");
        }

        using Stream content = OpenStored(pickle);
        var bytes = new byte[pickle.Length];
        content.ReadExactly(bytes);
        return (found[0][..^Pickle.Length], bytes);
    }

    private bool ByteOrder()
    {
        if (!entries.TryGetValue(folder + "byteorder", out ZipArchiveEntry? entry))
        {
            return false;
        }

        using Stream content = OpenStored(entry);
        Span<byte> text = stackalloc byte[8];
        text = text[..content.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)];
        return text.SequenceEqual("big"u8) || (text.SequenceEqual("little"u8) ? false : throw new InvalidDataException("The PyTorch file's byteorder is neither little nor big."));
    }

    private static Stream OpenStored(ZipArchiveEntry entry) => entry.Length == entry.CompressedLength
        ? entry.Open()
        : throw new InvalidDataException($"A part of the PyTorch file is compressed, which torch.save never does: unpack the archive and {Resave}.");

    private (object? Root, bool BigEndian) OpenLegacy()
    {
        var head = new byte[Math.Min(source.Length, MaximumPickleBytes)];
        source.Position = 0;
        source.ReadExactly(head);
        if (head.Length < 2 || head[0] != (byte)PickleOpcode.Protocol)
        {
            const int TarMagic = 257;
            bool tar = head.Length > TarMagic + 5 && head.AsSpan(TarMagic, 5).SequenceEqual("ustar"u8);
            throw new InvalidDataException(tar ? $"The file is in PyTorch's format from before 0.2, which is not read: {Resave}." : "The file is not one that torch.save wrote: it begins neither as a zip archive nor as a pickle.");
        }

        int position = 0;
        object? Next(bool withStorages)
        {
            var reader = new PickleReader(head, position, withStorages ? Storage : null);
            object? value = reader.Read();
            position = reader.Position;
            return value;
        }

        if (Next(false) is not BigInteger magic || magic != LegacyMagic)
        {
            throw new InvalidDataException("The file is a pickle, but not one that torch.save wrote: weights were expected. (A vocabulary goes to --itos.)");
        }

        if (Next(false) is not LegacyProtocol)
        {
            throw new InvalidDataException($"The PyTorch file is of an unknown protocol; {LegacyProtocol} was expected: {Resave}.");
        }

        bool big = Next(false) is PickleDictionary system && system.Named.GetValueOrDefault("little_endian") is false;
        object? root = Next(true);
        if (Next(false) is not PickleSequence { Items: var keys } || !keys.All(key => key is string name && storages.ContainsKey(name)))
        {
            throw new InvalidDataException("The PyTorch file's list of storages does not go with what it saves.");
        }

        Locate(keys.ConvertAll(key => storages[(string)key!]), position, big);
        return (root, big);
    }

    /// <summary>Each storage: eight bytes of count, then its elements.</summary>
    private void Locate(List<TorchStorage> inOrder, long position, bool big)
    {
        Span<byte> count = stackalloc byte[8];
        foreach (TorchStorage storage in inOrder)
        {
            source.Position = Math.Min(position, source.Length);
            if (source.ReadAtLeast(count, count.Length, throwOnEndOfStream: false) < count.Length)
            {
                throw new InvalidDataException($"The PyTorch file ends before its storage {ForeignText.Shown(storage.Key)}.");
            }

            long found = big ? BinaryPrimitives.ReadInt64BigEndian(count) : BinaryPrimitives.ReadInt64LittleEndian(count);
            long start = position + count.Length;
            position = start + (storage.Count * storage.Element.Size());
            if (found != storage.Count || position > source.Length || !offsets.TryAdd(storage.Key, start))
            {
                throw new InvalidDataException($"The PyTorch file's storage {ForeignText.Shown(storage.Key)} of {storage.Count} elements is cut short, or is not what its head tells of.");
            }
        }
    }

    /// <summary>('storage', type, key, place, count), in the older format with a sixth part for views of storages, which nothing uses.</summary>
    private TorchStorage Storage(PickleSequence id)
    {
        if (id.Items is not ["storage", PickleGlobal { Kind: PickleGlobalKind.Storage } type, string key, _, long count, ..] || (id.Items.Count > 5 && id.Items[5] is not null))
        {
            throw new InvalidDataException($"The PyTorch file refers to something else than a plain storage: {Resave}.");
        }

        var storage = new TorchStorage(key, type.Element, count);
        if (count is < 0 or > TorchStorage.MaximumCount || (storages.TryGetValue(key, out TorchStorage? known) && known != storage))
        {
            throw new InvalidDataException($"The PyTorch file tells of {count} elements in one of its storages, and something else elsewhere.");
        }

        if (archive is not null && (!entries.TryGetValue($"{folder}data/{key}", out ZipArchiveEntry? entry) || entry.Length < count * type.Element.Size()))
        {
            throw new InvalidDataException($"The PyTorch file lacks its storage of {count} elements, or has less of it.");
        }

        storages[key] = storage;
        return storage;
    }

    private float[] ReadRun(string name, TorchTensor tensor, int count)
    {
        TorchElement element = tensor.Storage.Element;
        long start = tensor.Offset * element.Size();
        if (archive is null)
        {
            source.Position = offsets.TryGetValue(tensor.Storage.Key, out long offset) ? offset + start : throw new InvalidDataException($"The PyTorch file lacks the elements of '{name}'.");
            return ReadElements(source, count, element);
        }

        using Stream content = OpenStored(entries[$"{folder}data/{tensor.Storage.Key}"]);
        Skip(content, start);
        return ReadElements(content, count, element);
    }

    private static void Skip(Stream content, long bytes)
    {
        byte[] passed = new byte[(int)Math.Min(bytes, 1 << 16)];
        for (long left = bytes; left > 0;)
        {
            int count = (int)Math.Min(left, passed.Length);
            content.ReadExactly(passed, 0, count);
            left -= count;
        }
    }

    private float[] ReadElements(Stream content, int count, TorchElement element)
    {
        int size = element.Size();
        var elements = new float[count];
        var block = new byte[(int)Math.Min(1 << 16, (long)count * size)];
        for (int done = 0; done < count;)
        {
            int now = Math.Min(count - done, block.Length / size);
            Span<byte> bytes = block.AsSpan(0, now * size);
            content.ReadExactly(bytes);
            for (int i = 0; i < now; i++)
            {
                Span<byte> one = bytes.Slice(i * size, size);
                if (bigEndian)
                {
                    one.Reverse();
                }

                elements[done + i] = element switch
                {
                    TorchElement.Float => BinaryPrimitives.ReadSingleLittleEndian(one),
                    TorchElement.Half => (float)BinaryPrimitives.ReadHalfLittleEndian(one),
                    TorchElement.BFloat16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(one) << 16),
                    _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(one),
                };
            }

            done += now;
        }

        return elements;
    }

    /// <summary>The elements of a view in row-major order.</summary>
    private static float[] Gather(TorchTensor tensor, float[] run)
    {
        var elements = new float[tensor.Count];
        var index = new int[tensor.Shape.Count];
        long at = 0;
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = run[at];
            for (int dimension = index.Length - 1; dimension >= 0; dimension--)
            {
                at += tensor.Strides[dimension];
                if (++index[dimension] < tensor.Shape[dimension])
                {
                    break;
                }

                at -= tensor.Strides[dimension] * tensor.Shape[dimension];
                index[dimension] = 0;
            }
        }

        return elements;
    }
}
