// What the sandbox's Slack sends and answers, by the types that Slack publishes for it.
// Each name has "Slack" before it: a type that is named like what it stands for would be named twice.
import type * as bolt from "@slack/bolt";
import type * as events from "@slack/types";
import type * as api from "@slack/web-api";

// What people do.
export type SlackSlashCommand = bolt.SlashCommand;
export type SlackBlockAction = bolt.BlockAction<bolt.BlockElementAction>;
export type SlackGlobalShortcut = bolt.GlobalShortcut;
export type SlackMessageShortcut = bolt.MessageShortcut;
export type SlackViewClosed = bolt.ViewClosedAction;
export type SlackViewSubmission = bolt.ViewSubmitAction;

// Events.
export type SlackEventEnvelope = bolt.EnvelopedEvent<object>;
export type SlackAppHomeOpened = events.AppHomeOpenedEvent;
export type SlackAppMention = events.AppMentionEvent;
export type SlackFileShareMessage = events.FileShareMessageEvent;
export type SlackMessage = events.GenericMessageEvent;
export type SlackReactionAdded = events.ReactionAddedEvent;
export type SlackReactionRemoved = events.ReactionRemovedEvent;

// Answers of the Web API.
export type SlackApiTest = api.ApiTestResponse;
export type SlackAppsConnectionsOpen = api.AppsConnectionsOpenResponse;
export type SlackAuthTest = api.AuthTestResponse;
export type SlackBlocksValidate = api.BlocksValidateResponse;
export type SlackBookmarksAdd = api.BookmarksAddResponse;
export type SlackBotsInfo = api.BotsInfoResponse;
export type SlackCanvasesAccessSet = api.CanvasesAccessSetResponse;
export type SlackCanvasesCreate = api.CanvasesCreateResponse;
export type SlackCanvasesDelete = api.CanvasesDeleteResponse;
export type SlackCanvasesEdit = api.CanvasesEditResponse;
export type SlackChatDelete = api.ChatDeleteResponse;
export type SlackChatGetPermalink = api.ChatGetPermalinkResponse;
export type SlackChatPostEphemeral = api.ChatPostEphemeralResponse;
export type SlackChatPostMessage = api.ChatPostMessageResponse;
export type SlackChatUpdate = api.ChatUpdateResponse;
export type SlackConversationsHistory = api.ConversationsHistoryResponse;
export type SlackConversationsInfo = api.ConversationsInfoResponse;
export type SlackConversationsJoin = api.ConversationsJoinResponse;
export type SlackConversationsList = api.ConversationsListResponse;
export type SlackConversationsMembers = api.ConversationsMembersResponse;
export type SlackConversationsOpen = api.ConversationsOpenResponse;
export type SlackConversationsReplies = api.ConversationsRepliesResponse;
export type SlackFilesCompleteUploadExternal = api.FilesCompleteUploadExternalResponse;
export type SlackFilesGetUploadURLExternal = api.FilesGetUploadURLExternalResponse;
export type SlackFilesInfo = api.FilesInfoResponse;
export type SlackPinsAdd = api.PinsAddResponse;
export type SlackReactionsAdd = api.ReactionsAddResponse;
export type SlackReactionsGet = api.ReactionsGetResponse;
export type SlackReactionsRemove = api.ReactionsRemoveResponse;
export type SlackUsergroupsList = api.UsergroupsListResponse;
export type SlackUsergroupsUsersList = api.UsergroupsUsersListResponse;
export type SlackUsersInfo = api.UsersInfoResponse;
export type SlackUsersList = api.UsersListResponse;
export type SlackViewsOpen = api.ViewsOpenResponse;
export type SlackViewsPublish = api.ViewsPublishResponse;
export type SlackViewsPush = api.ViewsPushResponse;
export type SlackViewsUpdate = api.ViewsUpdateResponse;
