//! Words of the sign-in page and of a member's own page.

super::texts! {
    TITLE: "Sign in", "登录";
    LEAD: "One gateway for all your model traffic.", "所有模型流量，统一入口。";
    SECRET: "Admin token or API key", "管理员令牌或 API 密钥";
    SECRET_HELP: "The admin token was printed at the first start and lies in the data folder. Members use one of their keys (sk-tg-…).", "管理员令牌在首次启动时打印，并保存在数据目录中。成员使用自己的密钥（sk-tg-…）登录。";
    SUBMIT: "Sign in", "登录";
    WITH_PASSWORD: "Sign in with name and password", "使用用户名和密码登录";
    USER_NAME: "User name", "用户名";
    PASSWORD: "Password", "密码";
    TRAP_TITLE: "Signing in will not work over plain HTTP", "通过普通 HTTP 无法完成登录";
    TRAP_TEXT: "The session cookie is marked Secure (ENABLE_SECURE_COOKIES=true), so the browser drops it on an http:// address that is not localhost: the right token is accepted and you land here again.", "会话 Cookie 带有 Secure 标记（ENABLE_SECURE_COOKIES=true）。通过非 localhost 的 http:// 地址访问时，浏览器会丢弃该 Cookie：令牌正确也会回到本页。";
    TRAP_WAY_1: "Better: put an HTTPS reverse proxy (nginx, Caddy) in front and open the https:// address.", "推荐：在前面配置 HTTPS 反向代理（nginx、Caddy），并使用 https:// 地址访问。";
    TRAP_WAY_2: "In a trusted internal network only: set ENABLE_SECURE_COOKIES=false and restart. It lowers security.", "仅限受信任的内网：设置 ENABLE_SECURE_COOKIES=false 并重启。这会降低安全性。";
    EXPIRED_NOTE: "Your session ended. After signing in you return to where you were.", "会话已过期。登录后将返回之前的页面。";

    ME_TITLE: "My usage", "我的用量";
    TODAY: "Today (UTC)", "今天（UTC）";
    LAST_30_DAYS: "Last 30 days", "最近 30 天";
    BY_DAY: "By day", "按天";
    BY_MODEL: "By model", "按模型";
    MY_KEYS: "My keys", "我的密钥";
    MY_KEYS_EMPTY: "You have no key yet. Ask your administrator for one.", "你还没有密钥，请联系管理员创建。";
    MY_REQUESTS: "My latest requests", "我最近的请求";
    NO_USAGE: "Nothing was booked on you in the last 30 days.", "最近 30 天没有用量记录。";
    HEAD_NONE: "No requests today so far.", "今天还没有请求。";
    HEAD_SOME: "requests today", "个请求（今天）";
}
