//! Words of the page that takes credentials over and hands them on.

super::texts! {
    TITLE: "Import and export", "导入与导出";
    IMPORT: "Take over from another gateway", "从其他网关导入";
    IMPORT_TEXT: "LiteLLM config.yaml, channels of one-api or new-api, accounts of claude-relay-service, providers of claude-code-hub, account files of CLIProxyAPI, or an export made here. Nothing is changed before you have seen what would be.", "支持 LiteLLM config.yaml、one-api 或 new-api 的渠道、claude-relay-service 的账号、claude-code-hub 的供应商、CLIProxyAPI 的账号文件，以及本系统的导出文件。确认预览之前不会修改任何内容。";
    CONTENT: "File", "文件内容";
    CONTENT_HELP: "Its text; several account files as 'tail -n +1 *.json' shows them; or a zip, tar or tar.gz in base64. At most 8 MiB. It is kept in memory for half an hour, until it is imported.", "粘贴文本；多个账号文件可粘贴 'tail -n +1 *.json' 的输出；也可粘贴 zip、tar、tar.gz 的 base64。最大 8 MiB。内容仅在内存中保留半小时，导入后即清除。";
    FROM_FILE: "Or from files", "或从文件读取";
    FROM_FILE_HELP: "One file, an archive, or all account files of a folder at once.", "可选单个文件、压缩包，或一次选中文件夹内的全部账号文件。";
    TOO_LARGE: "More than 8 MiB: give fewer files at a time.", "超过 8 MiB，请分批导入。";
    FROM: "What it is", "来源";
    FROM_HELP: "Only needed to tell one-api from new-api, which number their channel types differently.", "仅在无法区分 one-api 与 new-api 时需要选择，两者的渠道类型编号不同。";
    FROM_CONTENT: "what its content says", "按内容自动识别";
    FROM_OWN: "an export made here", "本系统的导出文件";
    PASSPHRASE: "Passphrase of an export made here", "本系统导出文件的口令";
    PASSPHRASE_HELP: "Leave empty for files of other programs.", "其他程序的文件请留空。";
    CONFLICT: "If another provider has the name", "供应商重名时";
    CONFLICT_HELP: "A provider with the same address and a known key is recognised and not added again.", "地址相同且密钥已存在的供应商会被识别，不会重复添加。";
    CONFLICT_RENAME: "put a number behind it", "在名称后加编号";
    CONFLICT_SKIP: "leave it out", "跳过";
    PREVIEW: "Preview", "预览";
    PREVIEWED: "What it would change", "将发生的变更";
    DO_IMPORT: "Import exactly this", "按此导入";
    NOTHING: "Everything that can be taken over is here already.", "可导入的内容均已存在。";
    N_PROVIDERS: "new providers", "新增供应商";
    N_CREDENTIALS: "new credentials", "新增凭证";
    N_EXISTING: "here already", "已存在";
    N_SKIPPED: "left out", "跳过";
    FORMAT: "Format", "格式";
    PLACE: "Place in the file", "文件中的位置";
    ACTION: "What happens", "处理方式";
    A_ADD: "add", "新增";
    A_EXISTS: "here already", "已存在";
    A_SKIP: "leave out", "跳过";
    WHY: "Why", "原因";
    NOTES: "Not taken over", "未导入的内容";
    NOTES_HELP: "By their place in the file. Nothing of this stops the import; add what you need by hand.", "按文件中的位置列出。这些内容不影响导入，需要时请手动添加。";
    ALL_MODELS: "all models", "全部模型";
    DONE: "Imported.", "已导入。";
    EXPORT: "Hand on to another installation", "导出到其他实例";
    EXPORT_TEXT: "All providers with their credentials in one sealed file. Whoever has file and passphrase has every secret in it; the export is written into the audit log.", "将所有供应商及其凭证导出为一个加密文件。持有文件与口令者即可获得其中全部密钥；导出会记入审计日志。";
    NEW_PASSPHRASE: "Passphrase", "口令";
    NEW_PASSPHRASE_HELP: "At least 12 characters. It is kept nowhere: without it the file cannot be opened.", "至少 12 个字符。口令不会被保存，遗失后文件无法打开。";
    DO_EXPORT: "Export everything", "全部导出";
    EXPORTED: "Sealed export", "加密导出文件";
    DOWNLOAD: "Download", "下载";
    UNREADABLE: "credentials could not be decrypted and are left out", "个凭证无法解密，未包含在内";
}
