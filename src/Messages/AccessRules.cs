using System.Text;

namespace V2XSim.Messages;

/// <summary>What users of one role may do. <c>{id}</c> in a filter stands for the user's own name.</summary>
public sealed record AccessRole(string Name, IReadOnlyList<string> Publish, IReadOnlyList<string> Subscribe);

/// <summary>
/// Which user may publish and receive what. Nothing is allowed without a rule. Every user has the rules of the device role for its own name;
/// users that are listed have those of their roles as well.
/// </summary>
public sealed class AccessRules
{
    /// <summary>The role of every user.</summary>
    public const string DeviceRole = "device";

    /// <summary>Lines of mosquitto.conf that the rules of <see cref="ToMosquitto"/> require.</summary>
    public const string MosquittoConfiguration = """
        allow_anonymous false
        use_username_as_clientid true
        acl_file mosquitto.acl
        password_file passwords.txt

        # With client certificates, instead of the password file:
        # require_certificate true
        # use_identity_as_username true

        """;

    private const string Own = "{id}";
    private readonly Dictionary<string, AccessRole> _roles;
    private readonly Dictionary<string, List<AccessRole>> _users = new(StringComparer.Ordinal);

    /// <param name="roles">One must be named <see cref="DeviceRole"/>.</param>
    /// <param name="users">Users with a further role, by name.</param>
    public AccessRules(IReadOnlyList<AccessRole> roles, IEnumerable<(string User, string Role)> users)
    {
        _roles = roles.ToDictionary(r => r.Name, StringComparer.Ordinal);
        foreach ((string user, string role) in users)
        {
            if (!_users.TryGetValue(user, out List<AccessRole>? list))
            {
                _users[user] = list = [];
            }

            list.Add(_roles[role]);
        }

        Roles = roles;
    }

    public IReadOnlyList<AccessRole> Roles { get; }

    /// <summary>Rules for the topics of the standard, and for the platform's own clients.</summary>
    public static IReadOnlyList<AccessRole> StandardRoles { get; } =
    [
        new(
            DeviceRole,
            [.. OwnTopics("{0}/{{id}}/+/up", "{0}/{{id}}/+/down/ack"), .. DialectTopics()],
            [.. OwnTopics("{0}/{{id}}/+/down", "{0}/{{id}}/+/up/ack"), Topics.Of(TopicKind.UnitVersionsQuery, Own), Topics.VersionPrefix + Topics.Of(TopicKind.UnitVersionsQuery, Own)]),
        new("platform", Both(n => !n.IsUp, ack: false, "+").Concat(Both(n => n.IsUp && n.HasAck, ack: true, "+")).ToList(), [.. Topics.UpFilters, .. Dialects.UpFilters]),
        new("announcer", [Topics.StepUp], []),
        new("operator", Both(n => !n.IsUp && n.Kind is not (TopicKind.RsmDown or TopicKind.SpatDown or TopicKind.AdviceDown), ack: false, "+").ToList(), [.. Topics.Roots.Select(r => r + "/#"), Topics.VersionPrefix + "#"]),
        new("observer", [], [.. Topics.Roots.Select(r => r + "/#"), Topics.VersionPrefix + "#"]),
        new("admin", [], ["$SYS/#"]),
    ];

    /// <summary>Users that every platform has.</summary>
    public static IReadOnlyList<(string User, string Role)> StandardUsers { get; } = [(Topics.PlatformClient, "platform"), (Topics.AnnouncerClient, "announcer")];

    public bool HasRole(string role) => _roles.ContainsKey(role);

    /// <summary>Whether a user has more than the rules of a device.</summary>
    public bool IsListed(string user) => _users.ContainsKey(user);

    public bool MayPublish(string user, ReadOnlySpan<char> topic)
    {
        if (!IsName(user) || topic.IndexOfAny('+', '#') >= 0)
        {
            return false;
        }

        foreach (AccessRole role in RolesOf(user))
        {
            foreach (string filter in role.Publish)
            {
                if (Covers(filter, user, topic))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether everything that a filter can match may be received.</summary>
    public bool MaySubscribe(string user, ReadOnlySpan<char> filter)
    {
        // A shared subscription asks for what its filter asks for.
        if (filter.StartsWith("$share/"))
        {
            filter = filter["$share/".Length..];
            int slash = filter.IndexOf('/');
            filter = slash < 0 ? default : filter[(slash + 1)..];
        }

        if (!IsName(user) || filter.IsEmpty)
        {
            return false;
        }

        foreach (AccessRole role in RolesOf(user))
        {
            foreach (string allowed in role.Subscribe)
            {
                if (Covers(allowed, user, filter))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>The same rules as an access file of Mosquitto, whose user name is the name of the device.</summary>
    public string ToMosquitto()
    {
        var text = new StringBuilder("# Made by 'v2xsim acl export'. Mosquitto's user name is the name of the device: with certificates set use_identity_as_username,\n# and in any case use_username_as_clientid, so that nobody takes another's place ('v2xsim acl config' prints these lines).\n");
        AccessRole device = _roles[DeviceRole];
        Write("pattern", device, "%u");
        foreach ((string user, List<AccessRole> roles) in _users.OrderBy(u => u.Key, StringComparer.Ordinal))
        {
            text.Append("\nuser ").Append(user).Append('\n');
            roles.ForEach(r => Write("topic", r, user));
        }

        return text.ToString();

        void Write(string keyword, AccessRole role, string own)
        {
            foreach (string filter in role.Publish)
            {
                text.Append(keyword).Append(" write ").Append(filter.Replace(Own, own, StringComparison.Ordinal)).Append('\n');
            }

            foreach (string filter in role.Subscribe)
            {
                text.Append(keyword).Append(" read ").Append(filter.Replace(Own, own, StringComparison.Ordinal)).Append('\n');
            }
        }
    }

    /// <summary>The roles as an access file, to be edited.</summary>
    public string ToYaml()
    {
        var text = new StringBuilder("roles:\n");
        foreach (AccessRole role in Roles)
        {
            text.Append("  - name: ").Append(role.Name).Append('\n');
            Write("publish", role.Publish);
            Write("subscribe", role.Subscribe);
        }

        return text.ToString();

        void Write(string key, IReadOnlyList<string> filters)
        {
            if (filters.Count > 0)
            {
                text.Append("    ").Append(key).Append(":\n").AppendJoin(string.Empty, filters.Select(f => $"      - \"{f}\"\n"));
            }
        }
    }

    /// <summary>Names with a wildcard or a slash in them would reach beyond their own topics.</summary>
    private static bool IsName(string user) => user.Length > 0 && user.AsSpan().IndexOfAny("+#/\0") < 0;

    private static List<string> OwnTopics(params string[] forms) =>
        [.. forms.SelectMany(f => Topics.Roots, (f, root) => f.Replace("{0}", root, StringComparison.Ordinal).Replace("{{id}}", Own, StringComparison.Ordinal)).SelectMany(t => (string[])[t, Topics.VersionPrefix + t])];

    /// <summary>Topics of dialects; those that do not name the device are checked by what the message says.</summary>
    private static IEnumerable<string> DialectTopics() => Dialects.UpFilters.SelectMany(f => f == "V2X/RSU/+/UP"
        ? ((string[])["INFO", "HB", "BaseINFO", "RunningInfo"]).Select(m => $"V2X/RSU/{m}/UP")
        : [ReplaceFirst(f)]);

    private static string ReplaceFirst(string filter)
    {
        int plus = filter.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? filter : string.Concat(filter.AsSpan(0, plus), Own, filter.AsSpan(plus + 1));
    }

    private static IEnumerable<string> Both(Func<TopicEntry, bool> which, bool ack, string device) =>
        Topics.Named.Where(which).Select(n => $"{n.Root}/{device}/{n.Tail}{(ack ? "/ack" : string.Empty)}").SelectMany(t => (string[])[t, Topics.VersionPrefix + t]);

    private IEnumerable<AccessRole> RolesOf(string user)
    {
        yield return _roles[DeviceRole];
        foreach (AccessRole role in _users.GetValueOrDefault(user) ?? [])
        {
            yield return role;
        }
    }

    /// <summary>Whether a filter, with a name in place of <c>{id}</c>, matches everything that another filter or topic can.</summary>
    private static bool Covers(ReadOnlySpan<char> outer, ReadOnlySpan<char> user, ReadOnlySpan<char> inner)
    {
        // Filters that begin with a wildcard do not reach topics of the broker's own (MQTT 5.0, section 4.7.2).
        if (inner.Length > 0 && inner[0] == '$' && (outer.IsEmpty || outer[0] != '$'))
        {
            return false;
        }

        while (true)
        {
            ReadOnlySpan<char> a = Level(ref outer, out bool isLastOuter), b = Level(ref inner, out bool isLastInner);
            if (a.SequenceEqual("#"))
            {
                return true;
            }

            bool matches = b.SequenceEqual("#") ? false : a.SequenceEqual("+") || (a.SequenceEqual(Own) ? b.SequenceEqual(user) : a.SequenceEqual(b) && !b.SequenceEqual("+"));
            if (!matches)
            {
                return false;
            }

            if (isLastOuter || isLastInner)
            {
                // "a/#" reaches "a" as well.
                return isLastOuter == isLastInner || (isLastInner && outer.SequenceEqual("#"));
            }
        }
    }

    private static ReadOnlySpan<char> Level(ref ReadOnlySpan<char> rest, out bool isLast)
    {
        int slash = rest.IndexOf('/');
        isLast = slash < 0;
        ReadOnlySpan<char> level = isLast ? rest : rest[..slash];
        rest = isLast ? default : rest[(slash + 1)..];
        return level;
    }
}
