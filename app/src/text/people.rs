//! Words of users and keys.

super::texts! {
    USERS: "Users", "用户";
    NEW_USER: "New user", "新建用户";
    USERS_NONE: "No user yet: keys belong to users.", "还没有用户：密钥归属于用户。";
    USERS_EMPTY_TEXT: "A user is a person, a team or a program. Give one a key and it can connect.", "用户可以是个人、团队或程序。为其创建密钥后即可接入。";
    USERS_HEAD: "users", "个用户";
    USER_NAME_HELP: "1 to 80 characters, unique. Also the sign-in name where a password is set.", "1 到 80 个字符，唯一。设置密码后也是登录名。";
    USER_GROUPS_HELP: "Groups of providers that this user may use. Empty: all.", "该用户可使用的供应商分组。留空：全部。";
    USER_ENABLED_HELP: "A disabled user's keys and sessions stop with the next request.", "停用后，其密钥与会话从下一个请求起失效。";
    EXPIRES_HELP: "UTC. After this instant it is refused. Empty: never.", "UTC 时间，到期后拒绝访问。留空：永不过期。";
    PASSWORD: "Password", "密码";
    PASSWORD_HELP: "Lets the user sign in here with name and password. 12 to 256 bytes. Empty: with a key only.", "允许用户用用户名和密码登录。12 到 256 字节。留空：只能用密钥登录。";
    PASSWORD_KEEP: "Leave empty to keep the present one.", "留空则保留当前密码。";
    PASSWORD_SET: "A password is set.", "已设置密码。";
    PASSWORD_NOT_SET: "No password is set: this user signs in with a key.", "未设置密码：该用户使用密钥登录。";
    PASSWORD_REMOVE: "Remove the password", "移除密码";
    SIGN_IN: "Sign-in", "登录";
    DELETE_USER_TITLE: "Delete this user?", "删除此用户？";
    DELETE_USER_TEXT: "All keys and sessions of this user stop with the next request. The user can be restored.", "该用户的全部密钥与会话从下一个请求起失效。删除后可以恢复。";
    USER_IS_DELETED: "This user is deleted; its keys are refused.", "此用户已删除，其密钥会被拒绝。";

    KEYS: "Keys", "密钥";
    NEW_KEY: "New key", "新建密钥";
    KEYS_NONE: "No key yet: no program can connect.", "还没有密钥：没有程序可以接入。";
    KEYS_EMPTY_TEXT: "A key (sk-tg-…) is what a program presents. It belongs to a user and is shown once, when it is made.", "密钥（sk-tg-…）是程序接入的凭据，归属于用户，仅在创建时显示一次。";
    KEYS_HEAD: "keys", "个密钥";
    KEYS_OF_USER: "Keys of this user", "该用户的密钥";
    NO_KEYS_OF_USER: "This user has no key yet.", "该用户还没有密钥。";
    OWNER: "Owner", "所属用户";
    OWNER_NEW_FIRST: "Make a user first; a key belongs to one.", "请先创建用户，密钥必须归属于用户。";
    PREFIX: "Begins with", "前缀";
    KEY_NAME_HELP: "1 to 80 characters: what or where it is for.", "1 到 80 个字符：说明用途或使用位置。";
    KEY_GROUPS_HELP: "Groups of providers that it may use. Empty: those of its user.", "可使用的供应商分组。留空：与所属用户相同。";
    KEY_MODELS_HELP: "Names or patterns that it may ask for. Empty: all.", "可请求的模型名或通配模式。留空：全部。";
    CLIENTS: "Clients", "客户端";
    CLIENTS_HELP: "claude-code, codex, gemini-cli, or the beginning of a User-Agent. Empty: all.", "claude-code、codex、gemini-cli，或 User-Agent 前缀。留空：全部。";
    IP_ALLOW: "Allowed networks", "允许的网络";
    IP_ALLOW_HELP: "Addresses or networks such as 10.0.0.0/8. Empty: from everywhere.", "IP 地址或网段，例如 10.0.0.0/8。留空：不限来源。";
    RESTRICTIONS: "Restrictions", "限制";
    RESTRICTIONS_SUMMARY: "groups, models, clients, networks, expiry", "分组、模型、客户端、网络、有效期";
    KEY_ENABLED_HELP: "A disabled key is refused from the next request on.", "停用后从下一个请求起被拒绝。";
    SHOWN_ONCE_TITLE: "Copy this key now", "请立即复制此密钥";
    SHOWN_ONCE_TEXT: "It is shown this one time. Only a keyed hash of it is stored; a lost key is replaced, not recovered.", "仅显示这一次。系统只保存其带密钥的哈希；遗失后只能更换，无法找回。";
    DELETE_KEY_TITLE: "Delete this key?", "删除此密钥？";
    DELETE_KEY_TEXT: "Programs that use it are refused from the next request on. It can be restored.", "使用它的程序从下一个请求起被拒绝。删除后可以恢复。";
    KEY_IS_DELETED: "This key is deleted and refused.", "此密钥已删除，会被拒绝。";
    FIND_KEY: "Find a key", "查找密钥";
    FIND_KEY_HELP: "Name, owner or first characters.", "名称、所属用户或前几个字符。";
    KEYS_FILTERED: "No key matches.", "没有匹配的密钥。";
    USERS_FILTERED: "No user matches.", "没有匹配的用户。";
    FIND_USER: "Find a user", "查找用户";

    CONNECT: "Connect a client", "接入客户端";
    CONNECT_TEXT: "Every client needs two things: this gateway's address and the key.", "每个客户端只需要两项：本网关地址与密钥。";
    CONNECT_PLACEHOLDER: "Put the key in the place of YOUR_KEY.", "请将 YOUR_KEY 替换为密钥。";
    CODEX_FILE: "Into ~/.codex/config.toml", "写入 ~/.codex/config.toml";
    CODEX_ENV: "and into the environment", "以及环境变量";
    ENVIRONMENT: "Environment", "环境变量";
    ADDRESS: "Address", "地址";
}
