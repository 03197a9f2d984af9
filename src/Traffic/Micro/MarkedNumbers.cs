using System.Numerics;

namespace V2XSim.Traffic.Micro;

/// <summary>
/// The numbers whose bits are set in a row of words, ascending. A word is read when it is come to: what changes in it after that is not seen.
/// </summary>
/// <param name="words">The words.</param>
/// <param name="first">Number of the first of them; its bits are those of the numbers from 64 times that on.</param>
internal ref struct MarkedNumbers(ReadOnlySpan<ulong> words, int first)
{
    private readonly ReadOnlySpan<ulong> _words = words;
    private readonly int _first = first;
    private int _word = -1;
    private ulong _bits;

    public int Current { get; private set; }

    public readonly MarkedNumbers GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_bits == 0)
        {
            if (++_word >= _words.Length)
            {
                return false;
            }

            _bits = _words[_word];
        }

        Current = ((_first + _word) << 6) + BitOperations.TrailingZeroCount(_bits);
        _bits &= _bits - 1;
        return true;
    }
}
